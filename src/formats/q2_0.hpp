// Q2_0: 64 values as two bits each with one fp16 scale, 2.25 bits a weight.
//
//   byte 0       2 ............................................................ 17
//   [ d : fp16 ][ q: value j at bits 2 (j % 4) of byte j / 4; codes 0 1 2 3 = -1 0 +1 +2 ]     value = d * (code - 1)
//
// Rounding: d = max|x|; code = x / d to nearest, ties away from zero, plus 1, so the encoder never writes code 3. That
// is exact for ternary blocks (but for the rounding of d to fp16) and poor for anything else; code 3 is legal when
// read. A block of zeros has d = 0 and codes 1; a constant block decodes to the constant rounded to fp16. NaN, infinity
// and a scale beyond fp16 are refused. Rejected: the older block of 128 values (34 bytes) under the same name and
// number, which identify() tells apart by size. Source: ggml's q2_0 block; bytes checked against that library.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ2_0 {
  static constexpr int kValues = 64;
  std::uint16_t d;  // fp16
  std::uint8_t q[kValues / 4];
};
static_assert(sizeof(BlockQ2_0) == 18);

EncodeIssue encode_row_q2_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q2_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q2_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ2_0{
    .name = "Q2_0",
    .summary = "2-bit codes -1, 0, +1, +2, blocks of 64: for models trained ternary",
    .gguf_id = 42,
    .file_type = 41,
    .block_values = BlockQ2_0::kValues,
    .block_bytes = sizeof(BlockQ2_0),
    .partner = Partner::q8_0,
    .encode_row = &encode_row_q2_0,
    .decode_row = &decode_row_q2_0,
    .valid_row = &valid_row_q2_0,
    .rmse_budget = 0.82F,
};

}  // namespace tern::formats
