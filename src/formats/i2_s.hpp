// I2_S: ternary weights in two bits with ONE float32 scale for the whole tensor, 2 bits a weight + 32 bytes a tensor.
// The format of BitNet's own files; always exact for a ternary tensor, because the scale is not rounded.
//
//   per 128 values of a row, 32 bytes:            bits 7 6      5 4       3 2       1 0
//   byte p, p = 0 .. 31                          [ c[p]  ][ c[32+p] ][ c[64+p] ][ c[96+p] ]   codes 0 1 2 = -1 0 +1
//   after the last row, 32 bytes: [ s : fp32 ][ 28 bytes: zeros, or s seven times more ]      value = s * (code - 1)
//
// Encoding is two passes over the tensor: the first finds s, the one non-zero magnitude there is (float32 equality, not
// "nearly"), and refuses the tensor if there are more; the second writes signs. -0 is 0. A tensor of zeros has s = 0.
// NaN and infinity are refused. Zeros follow s when written; both tails are read, one that contradicts itself or is not
// finite is refused. Code 3 is undefined: it decodes to 2 s, and valid_row refuses it. Rows must divide by 128.
// Rejected: max|w| with a sign per value, as the reference quantiser does: fed anything but a ternary tensor it writes
// a binary matrix scaled by an outlier and says nothing. Not read: two permutations of the same size and number that
// other builds of that program write (64/16 on ARM; 4 rows interleaved): nothing in a file tells them apart. Source:
// the converter of the BitNet project (the 128/32 layout, which all published files have).
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

inline constexpr int kI2SValues = 128;
inline constexpr int kI2STailBytes = 32;

EncodeIssue encode_row_i2_s(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
void decode_row_i2_s(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
bool valid_row_i2_s(const std::byte* blocks, std::int64_t n);

TensorScaleScan* new_i2_s_scan();
void write_i2_s_tail(float scale, std::byte* tail);
Result<float> read_i2_s_tail(const std::byte* tail);

inline constexpr TensorScaleRule kI2SScale{
    .new_scan = &new_i2_s_scan,
    .write_tail = &write_i2_s_tail,
    .read_tail = &read_i2_s_tail,
};

inline constexpr Format kI2_S{
    .name = "I2_S",
    .summary = "ternary in 2 bits, one float32 scale a tensor: BitNet's own, exact",
    .gguf_id = 36,
    .file_type = 40,
    .block_values = kI2SValues,
    .block_bytes = kI2SValues / 4,
    .tail_bytes = kI2STailBytes,
    .partner = Partner::int8_token,
    .is_ternary = true,
    .tensor_scale = &kI2SScale,
    .encode_row = &encode_row_i2_s,
    .decode_row = &decode_row_i2_s,
    .valid_row = &valid_row_i2_s,
    .rmse_budget = 0.0F,
};

}  // namespace tern::formats
