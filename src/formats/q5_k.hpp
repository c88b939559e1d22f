// Q5_K: Q4_K with a fifth bit per code. 8 sub-blocks of 32, 6-bit scales and minimums. 176 bytes per 256 values.
//
//   byte  0..1     d       fp16
//   byte  2..3     dmin    fp16
//   byte  4..15    scales  8 pairs of 6-bit scale s[j] and minimum m[j]: the table of k_quants.hpp
//   byte 16..47    high    bit b of byte l = bit 4 of the code of value 32b + l
//   byte 48..175   low     byte 48 + 32c + l (c = 0..3; l = 0..31), bits 3..0 of the codes of:
//                          7 6 5 4 = value 64c + 32 + l | 3 2 1 0 = value 64c + l
//
//   value = (d * s[j]) * code - (dmin * m[j]),  code 0..31, j = value / 32
//
// Rounding: search per sub-block with weights rms(x) + |x| and squared errors, 16 candidates; scales and minimums to
//   the nearest of 63 steps of the block's largest; codes to nearest, ties to even, under the stored scale.
// Zero: a zero block is all zero bytes. Constant: a negative one is a minimum alone, within the rounding of dmin; a
//   positive one is the top code.
// NaN, infinity and scales beyond fp16: refused.
// Rejected: codes of 5 bits in a row. Nibbles plus one bit plane unpack with shifts and masks, and share Q4_K's path.
// Source: ggml's q5_K block and its encoder without importance matrix; bytes checked against it.
#pragma once

#include <array>
#include <cstdint>

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ5_K {
  std::uint16_t d;
  std::uint16_t dmin;
  std::array<std::uint8_t, 12> scales;
  std::array<std::uint8_t, 32> high;
  std::array<std::uint8_t, 128> low;
};
static_assert(sizeof(BlockQ5_K) == 176);

EncodeIssue encode_row_q5_k(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q5_k(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q5_k(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ5_K{
    .name = "Q5_K",
    .summary = "5-bit codes, 8 sub-blocks with 6-bit scale and minimum",
    .gguf_id = 13,
    .file_type = 17,
    .block_values = 256,
    .block_bytes = sizeof(BlockQ5_K),
    .partner = Partner::q8_k,
    .encode_row = encode_row_q5_k,
    .decode_row = decode_row_q5_k,
    .valid_row = valid_row_q5_k,
    .rmse_budget = 0.038F,
};

}  // namespace tern::formats
