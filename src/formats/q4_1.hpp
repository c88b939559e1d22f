// Q4_1: 32 values as 4-bit codes above a minimum, fp16 scale and fp16 minimum, 5 bits a weight.
//
//   byte 0       2           4 ............................ 19
//   [ d : fp16 ][ m : fp16 ][ q: low nibble = value j, high nibble = value j + 16, j = 0 .. 15 ]   value = d * code + m
//
// Rounding: m = min x, d = (max x - min x) / 15; code = floor((x - m) / d + 0.5), at most 15. A constant block (zeros
// included) has d = 0 and m = the constant. NaN, infinity and a scale or minimum beyond fp16 are refused; so is a range
// that overflows float32. Rejected: choosing m so that zero is hit exactly. Source: ggml's q4_1 block; bytes checked.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ4_1 {
  static constexpr int kValues = 32;
  std::uint16_t d;  // fp16
  std::uint16_t m;  // fp16
  std::uint8_t q[kValues / 2];
};
static_assert(sizeof(BlockQ4_1) == 20);

EncodeIssue encode_row_q4_1(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q4_1(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q4_1(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ4_1{
    .name = "Q4_1",
    .summary = "4-bit codes, blocks of 32, scale and minimum",
    .gguf_id = 3,
    .file_type = 3,
    .block_values = BlockQ4_1::kValues,
    .block_bytes = sizeof(BlockQ4_1),
    .partner = Partner::q8_0,
    .encode_row = &encode_row_q4_1,
    .decode_row = &decode_row_q4_1,
    .valid_row = &valid_row_q4_1,
    .rmse_budget = 0.089F,
};

}  // namespace tern::formats
