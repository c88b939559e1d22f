// F32: IEEE binary32, little-endian, as it is.
//
//   bit 31    30 .. 23    22 .. 0
//   [ sign ][ exponent ][ mantissa ]
//
// Value: the number itself; no rounding. Zero keeps its sign. NaN and infinity are refused when encoding: a weight that
// is not a number ruins every logit, and the place to say so is where it enters. Rejected: big-endian files.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

EncodeIssue encode_row_f32(const float* values, std::int64_t n, float tensor_scale, std::byte* out);
void decode_row_f32(const std::byte* bytes, std::int64_t n, float tensor_scale, float* values);
bool valid_row_f32(const std::byte* bytes, std::int64_t n);

inline constexpr Format kF32{
    .name = "F32",
    .summary = "32-bit float: exact, the source of every other format",
    .gguf_id = 0,
    .file_type = 0,
    .block_values = 1,
    .block_bytes = 4,
    .partner = Partner::f32,
    .is_float = true,
    .encode_row = &encode_row_f32,
    .decode_row = &decode_row_f32,
    .valid_row = &valid_row_f32,
    .rmse_budget = 0.0F,
};

}  // namespace tern::formats
