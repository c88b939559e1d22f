// TQ1_0: 256 ternary values in base 3, five (or four) to a byte, with one fp16 scale: 1.6875 bits a weight.
//
//   byte 0 ................ 31   32 ............... 47   48 ............ 51   52
//   [ q0: values 0 .. 159     ][ q1: values 160 .. 239 ][ q2: 240 .. 255   ][ d : fp16 ]
//   [ byte m: m + 32 n, n < 5 ][ byte m: 160 + m + 16 n][ byte m: 240+m+4n, n < 4 ]        value = d * (digit - 1)
//
// A byte holds the number N = sum of digit_n * 3^(4-n) < 243 (q2: the fifth digit is 0) as ceil(256 N / 243), a
// fraction of 256: multiplying it by 3 modulo 256 n times and by 3 once more leaves digit n above the byte. Any byte
// decodes. Rounding: d = max|x|; digit = x / d to nearest, ties away from zero, plus 1. Exact for ternary blocks but
// for the rounding of d to fp16. A block of zeros has d = 0 and digits 1; a constant block decodes to the constant
// rounded to fp16. NaN, infinity and a scale beyond fp16 are refused. Rejected: digits by division (slow to read).
// Source: ggml's tq1_0 block; bytes checked against that library.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockTQ1_0 {
  static constexpr int kValues = 256;
  std::uint8_t q0[32];
  std::uint8_t q1[16];
  std::uint8_t q2[4];
  std::uint16_t d;  // fp16
};
static_assert(sizeof(BlockTQ1_0) == 54);

EncodeIssue encode_row_tq1_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_tq1_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_tq1_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kTQ1_0{
    .name = "TQ1_0",
    .summary = "ternary in base 3, blocks of 256: smallest lossless ternary",
    .gguf_id = 34,
    .file_type = 36,
    .block_values = BlockTQ1_0::kValues,
    .block_bytes = sizeof(BlockTQ1_0),
    .partner = Partner::q8_k,
    .is_ternary = true,
    .encode_row = &encode_row_tq1_0,
    .decode_row = &decode_row_tq1_0,
    .valid_row = &valid_row_tq1_0,
    .rmse_budget = 0.94F,
};

}  // namespace tern::formats
