#include "formats/q1_0.hpp"

#include <array>
#include <cstring>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

bool encode_block(const float* values, BlockQ1_0& block) {
  float sum = 0.0F;
  for (int i = 0; i < BlockQ1_0::kValues; ++i) sum += std::fabs(values[i]);
  block.d = fp32_to_fp16(sum / static_cast<float>(BlockQ1_0::kValues));
  for (int i = 0; i < BlockQ1_0::kValues; ++i) {
    if (values[i] >= 0.0F) block.q[i / 8] = static_cast<std::uint8_t>(block.q[i / 8] | 1u << (i % 8));
  }
  return codec::is_finite_fp16(block.d);
}

// Four values at once: models are packed through here.
void decode_block(const BlockQ1_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  std::array<std::array<float, 4>, 16> fours;  // by the four bits that stand for them
  for (std::size_t bits = 0; bits < 16; ++bits) {
    for (std::size_t i = 0; i < 4; ++i) fours[bits][i] = (bits >> i & 1) == 0 ? -d : d;
  }
  for (const std::uint8_t byte : block.q) {
    std::memcpy(values, fours[byte & 15].data(), sizeof fours[0]);
    std::memcpy(values + 4, fours[byte >> 4].data(), sizeof fours[0]);
    values += 8;
  }
}

}  // namespace

EncodeIssue encode_row_q1_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockQ1_0, BlockQ1_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_q1_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockQ1_0, BlockQ1_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_q1_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockQ1_0, BlockQ1_0::kValues>(
      blocks, n, [](const BlockQ1_0& block) { return codec::is_finite_fp16(block.d); });
}

}  // namespace tern::formats
