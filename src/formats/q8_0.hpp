// Q8_0: 32 values as int8 with one fp16 scale, 8.5 bits a weight. Also the activation partner of the 32-value formats.
//
//   byte 0       2 ................ 33
//   [ d : fp16 ][ q[0] q[1] .. q[31] ]     value = d * q, q in -127 .. 127 (the encoder; -128 decodes too)
//
// Rounding: d = max|x| / 127; q = x / d to nearest with ties away from zero, computed as x * (1/d) before d is rounded
// to fp16. A block of zeros has d = 0; a constant block decodes to the constant rounded. NaN, infinity and max|x| / 127
// beyond fp16 are refused. Rejected: dividing by the rounded d (slightly better, other bytes than everybody's).
// Source: ggml's q8_0 block; bytes are checked against that library.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ8_0 {
  static constexpr int kValues = 32;
  std::uint16_t d;  // fp16
  std::int8_t q[kValues];
};
static_assert(sizeof(BlockQ8_0) == 34);

EncodeIssue encode_row_q8_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q8_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q8_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ8_0{
    .name = "Q8_0",
    .summary = "8-bit codes, blocks of 32: hardly distinguishable from F16",
    .gguf_id = 8,
    .file_type = 7,
    .block_values = BlockQ8_0::kValues,
    .block_bytes = sizeof(BlockQ8_0),
    .partner = Partner::q8_0,
    .encode_row = &encode_row_q8_0,
    .decode_row = &decode_row_q8_0,
    .valid_row = &valid_row_q8_0,
    .rmse_budget = 6.2e-3F,
};

}  // namespace tern::formats
