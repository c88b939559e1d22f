#include "formats/tq1_0.hpp"

#include <array>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

// The digits of one byte are values `stride` apart.
std::uint8_t pack_digits(const float* values, int stride, int n_digits, float inverse) {
  unsigned number = 0;
  for (int n = 0; n < 5; ++n) {
    number *= 3;
    if (n < n_digits) number += static_cast<unsigned>(codec::round_half_away(values[n * stride] * inverse) + 1);
  }
  return static_cast<std::uint8_t>((number * 256 + 242) / 243);
}

// Digit by digit of all bytes, in loops that compilers make vectors of: models are packed through here.
template <int kBytes>
void unpack_digits(const std::uint8_t* bytes, int n_digits, float d, float* values) {
  std::array<std::uint32_t, kBytes> fractions;
  for (int m = 0; m < kBytes; ++m) fractions[m] = bytes[m];
  for (int n = 0; n < n_digits; ++n, values += kBytes) {
    for (int m = 0; m < kBytes; ++m) {
      const std::uint32_t tripled = fractions[m] * 3;
      values[m] = static_cast<float>(static_cast<std::int32_t>(tripled >> 8) - 1) * d;
      fractions[m] = tripled & 255u;
    }
  }
}

bool encode_block(const float* values, BlockTQ1_0& block) {
  const float d = codec::largest_magnitude(values, BlockTQ1_0::kValues);
  block.d = fp32_to_fp16(d);
  const float inverse = codec::inverse_or_zero(d);
  for (int m = 0; m < 32; ++m) block.q0[m] = pack_digits(values + m, 32, 5, inverse);
  for (int m = 0; m < 16; ++m) block.q1[m] = pack_digits(values + 160 + m, 16, 5, inverse);
  for (int m = 0; m < 4; ++m) block.q2[m] = pack_digits(values + 240 + m, 4, 4, inverse);
  return codec::is_finite_fp16(block.d);
}

void decode_block(const BlockTQ1_0& block, float* values) {
  const float d = fp16_to_fp32(block.d);
  unpack_digits<32>(block.q0, 5, d, values);
  unpack_digits<16>(block.q1, 5, d, values + 160);
  unpack_digits<4>(block.q2, 4, d, values + 240);
}

}  // namespace

EncodeIssue encode_row_tq1_0(const float* values, std::int64_t n, float, std::byte* blocks) {
  return codec::encode_blocks<BlockTQ1_0, BlockTQ1_0::kValues>(values, n, blocks, encode_block);
}

void decode_row_tq1_0(const std::byte* blocks, std::int64_t n, float, float* values) {
  codec::decode_blocks<BlockTQ1_0, BlockTQ1_0::kValues>(blocks, n, values, decode_block);
}

bool valid_row_tq1_0(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<BlockTQ1_0, BlockTQ1_0::kValues>(
      blocks, n, [](const BlockTQ1_0& block) { return codec::is_finite_fp16(block.d); });
}

}  // namespace tern::formats
