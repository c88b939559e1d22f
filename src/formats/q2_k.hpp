// Q2_K: 2-bit codes in 16 sub-blocks of 16, each with a 4-bit scale and a 4-bit minimum. 84 bytes per 256 values.
//
//   byte  0..15   scales  one byte a sub-block j (values 16j .. 16j+15):  7 6 5 4 = min m[j] | 3 2 1 0 = scale s[j]
//   byte 16..79   codes   byte 16 + 32h + l (half h = 0, 1; l = 0..31) holds values 128h + l + {0, 32, 64, 96}:
//                         7 6 = +96 | 5 4 = +64 | 3 2 = +32 | 1 0 = +0
//   byte 80..81   d       fp16
//   byte 82..83   dmin    fp16
//
//   value = (d * s[j]) * code - (dmin * m[j]),  code 0..3
//
// Rounding: search per sub-block with weights |x| and absolute errors, 16 candidates; scales and minimums to the
//   nearest of 16 steps of the block's largest; codes to nearest, ties to even, under the stored scale.
// Zero: a zero block is all zero bytes. Constant: a negative one is a minimum alone, within the rounding of dmin; a
//   positive one is the top code.
// NaN, infinity and scales beyond fp16: refused.
// Rejected: keeping the codes of the search, which belong to the unrounded scales.
// Source: ggml's q2_K block and its encoder without importance matrix; bytes checked against it.
#pragma once

#include <array>
#include <cstdint>

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ2_K {
  std::array<std::uint8_t, 16> scales;
  std::array<std::uint8_t, 64> codes;
  std::uint16_t d;
  std::uint16_t dmin;
};
static_assert(sizeof(BlockQ2_K) == 84);

EncodeIssue encode_row_q2_k(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q2_k(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q2_k(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ2_K{
    .name = "Q2_K",
    .summary = "2-bit codes, 16 sub-blocks with 4-bit scale and minimum",
    .gguf_id = 10,
    .file_type = 10,
    .block_values = 256,
    .block_bytes = sizeof(BlockQ2_K),
    .partner = Partner::q8_k,
    .encode_row = encode_row_q2_k,
    .decode_row = decode_row_q2_k,
    .valid_row = valid_row_q2_k,
    .rmse_budget = 0.31F,
};

}  // namespace tern::formats
