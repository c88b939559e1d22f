// Q5_1: 32 values as 5-bit codes above a minimum, fp16 scale and fp16 minimum, 6 bits a weight.
//
//   byte 0       2           4 ................................ 7    8 ............................... 23
//   [ d : fp16 ][ m : fp16 ][ h: bit i = bit 4 of value i's code ][ q: low nibble = value j, high nibble = value j + 16
//   ] value = d * code + m
//
// Rounding: m = min x, d = (max x - min x) / 31; code = floor((x - m) / d + 0.5). A constant block (zeros included) has
// d = 0 and m = the constant. NaN, infinity, a scale or minimum beyond fp16 and a range beyond float32 are refused.
// Rejected: as in Q4_1. Source: ggml's q5_1 block; bytes checked against that library.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ5_1 {
  static constexpr int kValues = 32;
  std::uint16_t d;    // fp16
  std::uint16_t m;    // fp16
  std::uint8_t h[4];  // a little-endian 32-bit mask
  std::uint8_t q[kValues / 2];
};
static_assert(sizeof(BlockQ5_1) == 24);

EncodeIssue encode_row_q5_1(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q5_1(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q5_1(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ5_1{
    .name = "Q5_1",
    .summary = "5-bit codes, blocks of 32, scale and minimum",
    .gguf_id = 7,
    .file_type = 9,
    .block_values = BlockQ5_1::kValues,
    .block_bytes = sizeof(BlockQ5_1),
    .partner = Partner::q8_0,
    .encode_row = &encode_row_q5_1,
    .decode_row = &decode_row_q5_1,
    .valid_row = &valid_row_q5_1,
    .rmse_budget = 0.043F,
};

}  // namespace tern::formats
