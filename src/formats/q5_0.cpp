#include "formats/q5_0.hpp"

#include <algorithm>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr int kHalf = BlockQ5_0::kValues / 2;

bool encode_block(const float* values, BlockQ5_0& block) {
  const float d = codec::signed_extreme(values, BlockQ5_0::kValues) / -16.0F;
  block.d = fp32_to_fp16(d);
  if (!codec::is_finite_fp16(block.d)) return false;
  const float inverse = codec::inverse_or_zero(d);
  const auto code = [&](int i) {
    return static_cast<std::uint32_t>(std::min(31, static_cast<int>(values[i] * inverse + 16.5F)));
  };
  std::uint32_t high_bits = 0;
  for (int j = 0; j < kHalf; ++j) {
    const std::uint32_t first = code(j);
    const std::uint32_t second = code(j + kHalf);
    block.q[j] = static_cast<std::uint8_t>((first & 15u) | (second & 15u) << 4);
    high_bits |= (first >> 4) << j | (second >> 4) << (j + kHalf);
  }
  std::memcpy(block.h, &high_bits, sizeof(high_bits));
  return true;
}

void decode_block(const BlockQ5_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  std::uint32_t high_bits = 0;
  std::memcpy(&high_bits, block.h, sizeof(high_bits));
  for (int j = 0; j < kHalf; ++j) {
    const auto first = static_cast<int>((block.q[j] & 15u) | (high_bits >> j & 1u) << 4);
    const auto second = static_cast<int>(block.q[j] >> 4 | (high_bits >> (j + kHalf) & 1u) << 4);
    values[j] = static_cast<float>(first - 16) * d;
    values[j + kHalf] = static_cast<float>(second - 16) * d;
  }
}

}  // namespace

EncodeIssue encode_row_q5_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ5_0, BlockQ5_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_q5_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ5_0, BlockQ5_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q5_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ5_0, BlockQ5_0::kValues>(
      blocks, n, [](const BlockQ5_0& block) { return codec::is_finite_fp16(block.d); });
}

}  // namespace tern::formats
