#include "formats/tq2_0.hpp"

#include <iterator>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

// Value i sits in byte i / 128 * 32 + i % 32 at bit i % 128 / 32 * 2; in loops that compilers make vectors of.

bool encode_block(const float* values, BlockTQ2_0& block) {
  const float d = codec::largest_magnitude(values, BlockTQ2_0::kValues);
  block.d = fp32_to_fp16(d);
  const float inverse = codec::inverse_or_zero(d);
  std::uint8_t codes[BlockTQ2_0::kValues];
  for (int i = 0; i < BlockTQ2_0::kValues; ++i) {
    codes[i] = static_cast<std::uint8_t>(codec::round_half_away(values[i] * inverse) + 1);
  }
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* of = codes + 128 * half;
    for (int i = 0; i < 32; ++i) {
      block.q[32 * half + i] = static_cast<std::uint8_t>(of[i] | of[32 + i] << 2 | of[64 + i] << 4 | of[96 + i] << 6);
    }
  }
  return codec::is_finite_fp16(block.d);
}

void decode_block(const BlockTQ2_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  for (int half = 0; half < 2; ++half) {
    for (int shift = 0; shift < 8; shift += 2) {
      for (int i = 0; i < 32; ++i) *values++ = static_cast<float>((block.q[32 * half + i] >> shift & 3) - 1) * d;
    }
  }
}

bool is_valid(const BlockTQ2_0& block) {
  return codec::is_finite_fp16(block.d) && !codec::holds_code_3(block.q, std::ssize(block.q));
}

}  // namespace

EncodeIssue encode_row_tq2_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockTQ2_0, BlockTQ2_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_tq2_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockTQ2_0, BlockTQ2_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_tq2_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockTQ2_0, BlockTQ2_0::kValues>(blocks, n, is_valid);
}

}  // namespace tern::formats
