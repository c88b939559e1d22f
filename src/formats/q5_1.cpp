#include "formats/q5_1.hpp"

#include <algorithm>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr int kHalf = BlockQ5_1::kValues / 2;

bool encode_block(const float* values, BlockQ5_1& block) {
  const auto [lowest, highest] = codec::extremes(values, BlockQ5_1::kValues);
  const float d = (highest - lowest) / 31.0F;
  block.d = fp32_to_fp16(d);
  block.m = fp32_to_fp16(lowest);
  if (!codec::is_finite_fp16(block.d) || !codec::is_finite_fp16(block.m)) return false;
  const float inverse = codec::inverse_or_zero(d);
  // (x - m) / d is 31 with a few rounding errors at most (more only where d is subnormal), hence the bound.
  const auto code = [&](int i) {
    return static_cast<std::uint32_t>(std::min(31, static_cast<int>((values[i] - lowest) * inverse + 0.5F)));
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

void decode_block(const BlockQ5_1& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  const float m = fp16_to_fp32(block.m);
  std::uint32_t high_bits = 0;
  std::memcpy(&high_bits, block.h, sizeof(high_bits));
  for (int j = 0; j < kHalf; ++j) {
    const std::uint32_t first = (block.q[j] & 15u) | (high_bits >> j & 1u) << 4;
    const std::uint32_t second = static_cast<std::uint32_t>(block.q[j] >> 4) | (high_bits >> (j + kHalf) & 1u) << 4;
    values[j] = static_cast<float>(first) * d + m;
    values[j + kHalf] = static_cast<float>(second) * d + m;
  }
}

}  // namespace

EncodeIssue encode_row_q5_1(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ5_1, BlockQ5_1::kValues>(values, n, blocks, encode_block);
}

void decode_row_q5_1(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ5_1, BlockQ5_1::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q5_1(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ5_1, BlockQ5_1::kValues>(blocks, n, [](const BlockQ5_1& block) {
    return codec::is_finite_fp16(block.d) && codec::is_finite_fp16(block.m);
  });
}

}  // namespace tern::formats
