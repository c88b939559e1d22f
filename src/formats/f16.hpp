// F16: IEEE binary16, little-endian.
//
//   bit 15    14 .. 10    9 .. 0
//   [ sign ][ exponent ][ mantissa ]      normal: (-1)^s * 2^(e-15) * (1 + m/1024); e = 0: (-1)^s * m * 2^-24
//
// Rounding: to nearest, ties to even; below 2^-25 to a zero of the same sign. Zero keeps its sign. NaN, infinity and
// magnitudes of 65520 and more (they would become infinity) are refused. Rejected: flushing subnormals to zero, which
// other converters do and which changes small weights.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

EncodeIssue encode_row_f16(const float* values, std::int64_t n, float tensor_scale, std::byte* out);
void decode_row_f16(const std::byte* bytes, std::int64_t n, float tensor_scale, float* values);
bool valid_row_f16(const std::byte* bytes, std::int64_t n);

inline constexpr Format kF16{
    .name = "F16",
    .summary = "16-bit float: 11 significant bits, magnitudes to 65504",
    .gguf_id = 1,
    .file_type = 1,
    .block_values = 1,
    .block_bytes = 2,
    .partner = Partner::f32,
    .is_float = true,
    .encode_row = &encode_row_f16,
    .decode_row = &decode_row_f16,
    .valid_row = &valid_row_f16,
    .rmse_budget = 2.35e-4F,
};

}  // namespace tern::formats
