#include "formats/q4_0.hpp"

#include <algorithm>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr int kHalf = BlockQ4_0::kValues / 2;

bool encode_block(const float* values, BlockQ4_0& block) {
  const float d = codec::signed_extreme(values, BlockQ4_0::kValues) / -8.0F;
  block.d = fp32_to_fp16(d);
  if (!codec::is_finite_fp16(block.d)) return false;
  const float inverse = codec::inverse_or_zero(d);
  const auto code = [&](int i) { return std::min(15, static_cast<int>(values[i] * inverse + 8.5F)); };
  for (int j = 0; j < kHalf; ++j) block.q[j] = static_cast<std::uint8_t>(code(j) | code(j + kHalf) << 4);
  return true;
}

void decode_block(const BlockQ4_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  for (int j = 0; j < kHalf; ++j) {
    values[j] = static_cast<float>((block.q[j] & 15) - 8) * d;
    values[j + kHalf] = static_cast<float>((block.q[j] >> 4) - 8) * d;
  }
}

}  // namespace

EncodeIssue encode_row_q4_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ4_0, BlockQ4_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_q4_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ4_0, BlockQ4_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q4_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ4_0, BlockQ4_0::kValues>(
      blocks, n, [](const BlockQ4_0& block) { return codec::is_finite_fp16(block.d); });
}

}  // namespace tern::formats
