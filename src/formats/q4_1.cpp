#include "formats/q4_1.hpp"

#include <algorithm>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

constexpr int kHalf = BlockQ4_1::kValues / 2;

bool encode_block(const float* values, BlockQ4_1& block) {
  const auto [lowest, highest] = codec::extremes(values, BlockQ4_1::kValues);
  const float d = (highest - lowest) / 15.0F;
  block.d = fp32_to_fp16(d);
  block.m = fp32_to_fp16(lowest);
  if (!codec::is_finite_fp16(block.d) || !codec::is_finite_fp16(block.m)) return false;
  const float inverse = codec::inverse_or_zero(d);
  const auto code = [&](int i) { return std::min(15, static_cast<int>((values[i] - lowest) * inverse + 0.5F)); };
  for (int j = 0; j < kHalf; ++j) block.q[j] = static_cast<std::uint8_t>(code(j) | code(j + kHalf) << 4);
  return true;
}

void decode_block(const BlockQ4_1& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  const float m = fp16_to_fp32(block.m);
  for (int j = 0; j < kHalf; ++j) {
    values[j] = static_cast<float>(block.q[j] & 15) * d + m;
    values[j + kHalf] = static_cast<float>(block.q[j] >> 4) * d + m;
  }
}

}  // namespace

EncodeIssue encode_row_q4_1(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ4_1, BlockQ4_1::kValues>(values, n, blocks, encode_block);
}

void decode_row_q4_1(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ4_1, BlockQ4_1::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q4_1(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ4_1, BlockQ4_1::kValues>(blocks, n, [](const BlockQ4_1& block) {
    return codec::is_finite_fp16(block.d) && codec::is_finite_fp16(block.m);
  });
}

}  // namespace tern::formats
