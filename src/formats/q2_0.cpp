#include "formats/q2_0.hpp"

#include <algorithm>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

bool encode_block(const float* values, BlockQ2_0& block) {
  const float d = codec::largest_magnitude(values, BlockQ2_0::kValues);
  block.d = fp32_to_fp16(d);
  const float inverse = codec::inverse_or_zero(d);
  for (int i = 0; i < BlockQ2_0::kValues; ++i) {
    const auto code = static_cast<unsigned>(codec::round_half_away(values[i] * inverse) + 1);
    block.q[i / 4] = static_cast<std::uint8_t>(block.q[i / 4] | code << (2 * (i % 4)));
  }
  return codec::is_finite_fp16(block.d);
}

void decode_block(const BlockQ2_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  for (int i = 0; i < BlockQ2_0::kValues; ++i) {
    values[i] = static_cast<float>((block.q[i / 4] >> (2 * (i % 4)) & 3) - 1) * d;
  }
}

}  // namespace

EncodeIssue encode_row_q2_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ2_0, BlockQ2_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_q2_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ2_0, BlockQ2_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q2_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ2_0, BlockQ2_0::kValues>(
      blocks, n, [](const BlockQ2_0& block) { return codec::is_finite_fp16(block.d); });
}

}  // namespace tern::formats
