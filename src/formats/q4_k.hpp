// Q4_K: 4-bit codes in 8 sub-blocks of 32, each with a 6-bit scale and a 6-bit minimum. 144 bytes per 256 values.
//
//   byte  0..1     d       fp16
//   byte  2..3     dmin    fp16
//   byte  4..15    scales  8 pairs of 6-bit scale s[j] and minimum m[j]: the table of k_quants.hpp
//   byte 16..143   codes   byte 16 + 32c + l (c = 0..3; l = 0..31):  7 6 5 4 = value 64c + 32 + l | 3 2 1 0 = value 64c
//   + l
//
//   value = (d * s[j]) * code - (dmin * m[j]),  code 0..15, j = value / 32
//
// Rounding: search per sub-block with weights rms(x) + |x| and squared errors, 21 candidates; scales and minimums to
//   the nearest of 63 steps of the block's largest; codes to nearest, ties to even, under the stored scale.
// Zero: a zero block is all zero bytes. Constant: a negative one is a minimum alone, within the rounding of dmin; a
//   positive one is the top code.
// NaN, infinity and scales beyond fp16: refused.
// Rejected: a range symmetric around zero, which leaves half of the codes of a one-sided sub-block unused.
// Source: ggml's q4_K block and its encoder without importance matrix; bytes checked against it.
#pragma once

#include <array>
#include <cstdint>

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ4_K {
  std::uint16_t d;
  std::uint16_t dmin;
  std::array<std::uint8_t, 12> scales;
  std::array<std::uint8_t, 128> codes;
};
static_assert(sizeof(BlockQ4_K) == 144);

EncodeIssue encode_row_q4_k(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q4_k(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q4_k(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ4_K{
    .name = "Q4_K",
    .summary = "4-bit codes, 8 sub-blocks with 6-bit scale and minimum",
    .gguf_id = 12,
    .file_type = 15,
    .block_values = 256,
    .block_bytes = sizeof(BlockQ4_K),
    .partner = Partner::q8_k,
    .encode_row = encode_row_q4_k,
    .decode_row = decode_row_q4_k,
    .valid_row = valid_row_q4_k,
    .rmse_budget = 0.075F,
};

}  // namespace tern::formats
