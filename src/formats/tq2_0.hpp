// TQ2_0: 256 ternary values as two bits each with one fp16 scale, 2.0625 bits a weight.
//
//   byte 0 ............................................................... 63   64
//   [ q: two groups of 32 bytes, each 128 values; value 128 g + 32 l + m     ][ d : fp16 ]
//   [    is bits 2l, 2l+1 of byte 32 g + m;  codes 0 1 2 = -1 0 +1           ]           value = d * (code - 1)
//
// Rounding: d = max|x|; code = x / d to nearest, ties away from zero, plus 1. Exact for ternary blocks but for the
// rounding of d to fp16. A block of zeros has d = 0 and codes 1; a constant block decodes to the constant rounded to
// fp16. NaN, infinity and a scale beyond fp16 are refused. Code 3 is undefined: it decodes to +2 d as elsewhere, and
// valid_row refuses it. Rejected: a scale per 64 values (Q2_0 has it). Source: ggml's tq2_0 block; bytes checked
// against it.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockTQ2_0 {
  static constexpr int kValues = 256;
  std::uint8_t q[kValues / 4];
  std::uint16_t d;  // fp16
};
static_assert(sizeof(BlockTQ2_0) == 66);

EncodeIssue encode_row_tq2_0(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_tq2_0(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_tq2_0(const std::byte* blocks, std::int64_t n);

inline constexpr Format kTQ2_0{
    .name = "TQ2_0",
    .summary = "ternary in 2 bits, blocks of 256: fast",
    .gguf_id = 35,
    .file_type = 37,
    .block_values = BlockTQ2_0::kValues,
    .block_bytes = sizeof(BlockTQ2_0),
    .partner = Partner::q8_k,
    .is_ternary = true,
    .encode_row = &encode_row_tq2_0,
    .decode_row = &decode_row_tq2_0,
    .valid_row = &valid_row_tq2_0,
    .rmse_budget = 0.94F,
};

}  // namespace tern::formats
