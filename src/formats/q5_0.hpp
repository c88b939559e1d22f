// Q5_0: 32 values as 5-bit codes around zero with one fp16 scale, 5.5 bits a weight.
//
//   byte 0       2 ................................ 5    6 ................................ 21
//   [ d : fp16 ][ h: bit i = bit 4 of value i's code ][ q: low nibble = value j, high nibble = value j + 16 ]
//   value = d * (code - 16)
//
// Rounding: d = m / -16 where m is the value of largest magnitude with its sign; code = floor(x / d + 16.5), at
// most 31. A block of zeros has d = -0 and codes 16; a constant block decodes to the constant rounded to fp16. NaN,
// infinity and a scale beyond fp16 are refused. Rejected: keeping the fifth bits beside the nibbles. Source: ggml's
// q5_0; checked.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ5_0 {
  static constexpr int kValues = 32;
  std::uint16_t d;    // fp16
  std::uint8_t h[4];  // a little-endian 32-bit mask
  std::uint8_t q[kValues / 2];
};
static_assert(sizeof(BlockQ5_0) == 22);

EncodeIssue encode_row_q5_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q5_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q5_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ5_0{
    .name = "Q5_0",
    .summary = "5-bit codes, blocks of 32, one scale each",
    .gguf_id = 6,
    .file_type = 8,
    .block_values = BlockQ5_0::kValues,
    .block_bytes = sizeof(BlockQ5_0),
    .partner = Partner::q8_0,
    .encode_row = &encode_row_q5_0,
    .decode_row = &decode_row_q5_0,
    .valid_row = &valid_row_q5_0,
    .rmse_budget = 0.049F,
};

}  // namespace tern::formats
