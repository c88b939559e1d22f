// Q4_0: 32 values as 4-bit codes around zero with one fp16 scale, 4.5 bits a weight.
//
//   byte 0       2 ............................ 17
//   [ d : fp16 ][ q: low nibble = value j, high nibble = value j + 16, j = 0 .. 15 ]     value = d * (code - 8)
//
// Rounding: d = m / -8 where m is the value of largest magnitude with its sign, so m itself gets code 0 and is hit
// exactly; code = floor(x / d + 8.5), at most 15. A block of zeros has d = -0 and codes 8. A constant block decodes to
// the constant rounded to fp16. NaN, infinity and a scale beyond fp16 are refused. Rejected: a symmetric scale
// max|x| / 7, which leaves one of the sixteen codes unused. Source: ggml's q4_0 block; bytes checked against it.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ4_0 {
  static constexpr int kValues = 32;
  std::uint16_t d;  // fp16
  std::uint8_t q[kValues / 2];
};
static_assert(sizeof(BlockQ4_0) == 18);

EncodeIssue encode_row_q4_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q4_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q4_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ4_0{
    .name = "Q4_0",
    .summary = "4-bit codes, blocks of 32, one scale each: small and fast",
    .gguf_id = 2,
    .file_type = 2,
    .block_values = BlockQ4_0::kValues,
    .block_bytes = sizeof(BlockQ4_0),
    .partner = Partner::q8_0,
    .encode_row = &encode_row_q4_0,
    .decode_row = &decode_row_q4_0,
    .valid_row = &valid_row_q4_0,
    .rmse_budget = 0.098F,
};

}  // namespace tern::formats
