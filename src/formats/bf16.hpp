// BF16: the upper half of an IEEE binary32, little-endian.
//
//   bit 15    14 .. 7     6 .. 0
//   [ sign ][ exponent ][ mantissa ]      the float32 whose lower 16 bits are zero
//
// Rounding: to nearest, ties to even. Zero keeps its sign, subnormals are rounded like the rest. NaN, infinity and the
// few float32 above 3.3961e38 that would become infinity are refused. Rejected: cutting off the lower bits (a bias).
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

EncodeIssue encode_row_bf16(const float* values, std::int64_t n, float tensor_scale, std::byte* out);
void decode_row_bf16(const std::byte* bytes, std::int64_t n, float tensor_scale, float* values);
bool valid_row_bf16(const std::byte* bytes, std::int64_t n);

inline constexpr Format kBF16{
    .name = "BF16",
    .summary = "16-bit brain float: 8 significant bits, the range of F32",
    .gguf_id = 30,
    .file_type = 32,
    .block_values = 1,
    .block_bytes = 2,
    .partner = Partner::f32,
    .is_float = true,
    .encode_row = &encode_row_bf16,
    .decode_row = &decode_row_bf16,
    .valid_row = &valid_row_bf16,
    .rmse_budget = 1.9e-3F,
};

}  // namespace tern::formats
