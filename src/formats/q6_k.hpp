// Q6_K: 6-bit codes in 16 sub-blocks of 16, each with a signed 8-bit scale. 210 bytes per 256 values.
//
//   byte   0..127   low     byte 64h + l (half h = 0, 1; l = 0..63), bits 3..0 of the codes of:
//                           7 6 5 4 = value 128h + 64 + l | 3 2 1 0 = value 128h + l
//   byte 128..191   high    byte 128 + 32h + l (l = 0..31), bits 5..4 of the codes of 128h + l plus:
//                           7 6 = +96 | 5 4 = +64 | 3 2 = +32 | 1 0 = +0
//   byte 192..207   scales  int8 s[j] of sub-block j (values 16j .. 16j+15)
//   byte 208..209   d       fp16, may be negative
//
//   value = (d * s[j]) * (code - 32),  code 0..63
//
// Rounding: search per sub-block with weights x^2, 19 candidates; the scale of largest magnitude becomes -128 and the
//   others follow, at most 127; codes to nearest, ties to even, under the stored scale.
// Zero: a block whose scales are all below 1e-15 is all zero bytes (and decodes to -0).
// Constant c: every code is -32 under scale -c/32, exact but for the fp16 rounding of d.
// NaN, infinity and scales beyond fp16: refused.
// Rejected: minimums. A one-sided sub-block loses one of six bits, where Q4_K would lose one of four.
// Source: ggml's q6_K block and its encoder without importance matrix; bytes checked against it.
#pragma once

#include <array>
#include <cstdint>

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ6_K {
  std::array<std::uint8_t, 128> low;
  std::array<std::uint8_t, 64> high;
  std::array<std::int8_t, 16> scales;
  std::uint16_t d;
};
static_assert(sizeof(BlockQ6_K) == 210);

EncodeIssue encode_row_q6_k(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q6_k(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q6_k(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ6_K{
    .name = "Q6_K",
    .summary = "6-bit codes, 16 sub-blocks with signed 8-bit scale",
    .gguf_id = 14,
    .file_type = 18,
    .block_values = 256,
    .block_bytes = sizeof(BlockQ6_K),
    .partner = Partner::q8_k,
    .encode_row = encode_row_q6_k,
    .decode_row = decode_row_q6_k,
    .valid_row = valid_row_q6_k,
    .rmse_budget = 0.019F,
};

}  // namespace tern::formats
