// Q1_0: 128 values as one sign bit each with one fp16 scale, 1.125 bits a weight.
//
//   byte 0       2 .......................................... 17
//   [ d : fp16 ][ q: value j is bit j % 8 of byte j / 8, 0 = -d, 1 = +d ]
//
// Rounding: d = mean|x| over the block, summed in order in float32; the bit is x >= 0. So zero becomes +d, and only a
// block of zeros (d = 0) keeps its zeros; a constant block decodes to the constant rounded to fp16. NaN, infinity and a
// mean beyond fp16 are refused. Not ternary in the sense of a zero code, but every code is -d or +d. Rejected: the
// older block of 32 that carried the same name under another number. Source: ggml's q1_0 block; bytes checked against
// it.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ1_0 {
  static constexpr int kValues = 128;
  std::uint16_t d;  // fp16
  std::uint8_t q[kValues / 8];
};
static_assert(sizeof(BlockQ1_0) == 18);

EncodeIssue encode_row_q1_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_q1_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_q1_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kQ1_0{
    .name = "Q1_0",
    .summary = "1-bit signs, blocks of 128: for models trained binary",
    .gguf_id = 41,
    .file_type = 40,
    .block_values = BlockQ1_0::kValues,
    .block_bytes = sizeof(BlockQ1_0),
    .partner = Partner::q8_0,
    .is_binary = true,
    .encode_row = &encode_row_q1_0,
    .decode_row = &decode_row_q1_0,
    .valid_row = &valid_row_q1_0,
    .rmse_budget = 0.68F,
};

}  // namespace tern::formats
