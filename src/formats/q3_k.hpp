// Q3_K: 3-bit codes in 16 sub-blocks of 16, each with a signed 6-bit scale. 110 bytes per 256 values.
//
//   byte   0..31    high    bit b of byte l = bit 2 of the code of value 32b + l
//   byte  32..95    low     byte 32 + 32h + l (half h = 0, 1; l = 0..31): bits 1..0 of the codes of values
//                           128h + l + {0, 32, 64, 96}:  7 6 = +96 | 5 4 = +64 | 3 2 = +32 | 1 0 = +0
//   byte  96..103   scales  byte 96 + j (j = 0..7): 7 6 5 4 = bits 3..0 of s[j + 8] | 3 2 1 0 = bits 3..0 of s[j]
//   byte 104..107           byte 104 + j (j = 0..3), bits 5..4 of four scales:
//                           7 6 = s[j + 12] | 5 4 = s[j + 8] | 3 2 = s[j + 4] | 1 0 = s[j]
//   byte 108..109   d       fp16, may be negative
//
//   value = (d * (s[j] - 32)) * (code - 4),  code 0..7
//
// Rounding: search per sub-block with weights x^2, one code at a time, at most five passes; the scale of largest
//   magnitude becomes -32 and the others follow; codes to nearest, ties to even, under the stored scale.
// Zero: a zero block is all zero bytes and decodes to +0.
// Constant c: every code is -4 under scale -c/4, exact but for the fp16 rounding of d.
// NaN, infinity and scales beyond fp16: refused.
// Rejected: an unsigned scale. The sign lets the extreme value, of either sign, have the extra code -4.
// Source: ggml's q3_K block and its encoder without importance matrix; bytes checked against it.
#pragma once

#include <array>
#include <cstdint>

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ3_K {
  std::array<std::uint8_t, 32> high;
  std::array<std::uint8_t, 64> low;
  std::array<std::uint8_t, 12> scales;
  std::uint16_t d;
};
static_assert(sizeof(BlockQ3_K) == 110);

EncodeIssue encode_row_q3_k(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q3_k(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q3_k(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ3_K{
    .name = "Q3_K",
    .summary = "3-bit codes, 16 sub-blocks with signed 6-bit scale",
    .gguf_id = 11,
    .file_type = 12,
    .block_values = 256,
    .block_bytes = sizeof(BlockQ3_K),
    .partner = Partner::q8_k,
    .encode_row = encode_row_q3_k,
    .decode_row = decode_row_q3_k,
    .valid_row = valid_row_q3_k,
    .rmse_budget = 0.16F,
};

}  // namespace tern::formats
