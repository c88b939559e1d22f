#include "formats/q8_0.hpp"

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

bool encode_block(const float* values, BlockQ8_0& block) {
  const float d = codec::largest_magnitude(values, BlockQ8_0::kValues) / 127.0F;
  block.d = fp32_to_fp16(d);
  if (!codec::is_finite_fp16(block.d)) return false;
  const float inverse = codec::inverse_or_zero(d);
  for (int i = 0; i < BlockQ8_0::kValues; ++i) {
    block.q[i] = static_cast<std::int8_t>(codec::round_half_away(values[i] * inverse));
  }
  return true;
}

void decode_block(const BlockQ8_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  for (int i = 0; i < BlockQ8_0::kValues; ++i) values[i] = static_cast<float>(block.q[i]) * d;
}

}  // namespace

EncodeIssue encode_row_q8_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ8_0, BlockQ8_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_q8_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ8_0, BlockQ8_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q8_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ8_0, BlockQ8_0::kValues>(
      blocks, n, [](const BlockQ8_0& block) { return codec::is_finite_fp16(block.d); });
}

}  // namespace tern::formats
