// Q8_K: 256 activations as int8 with one float32 scale and the sums of each 16 codes. Never stored in a file: what the
// k-quants and the TQ formats are multiplied with.
//
//   byte 0        4 ................... 259   260 ............... 291
//   [ d : fp32 ][ q[0] .. q[255] : int8    ][ sums[0] .. sums[15] : int16 ]      value = d * q,  sums[j] = sum of q[16
//   j ..]
//
// Rounding: with m the value of largest magnitude and its sign, q = -127 / m * x to nearest with ties to even, at most
// 127, and d = 1 / (-127 / m): the extreme itself becomes -127. A block of zeros (or so small that 127 / m overflows)
// is all zero bytes. NaN and infinity are refused by the encoder. Rejected: a scale of max|x| / 127, which gives other
// bytes than the reference library's. Source: ggml's q8_K block; bytes checked against that library.
#pragma once

#include "formats/format.hpp"

namespace tern::formats {

struct BlockQ8_K {
  static constexpr int kValues = 256;
  float d;
  std::int8_t q[kValues];
  std::int16_t sums[kValues / 16];
};
static_assert(sizeof(BlockQ8_K) == 292);

/// Encodes values[n] (n % 256 == 0) into n / 256 blocks; the first NaN or infinity is reported and ends the work.
EncodeIssue encode_row_q8_k(const float* values, std::int64_t n, std::byte* blocks);
/// Decodes n / 256 blocks into values[n].
void decode_row_q8_k(const std::byte* blocks, std::int64_t n, float* values);

}  // namespace tern::formats
