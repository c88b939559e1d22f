// Packed ternary rows against one or a few columns by vpdpbusd in 32-byte registers: a plane of a group is 32 columns.
// It multiplies four weight codes 0..2 (unsigned) with four activations (signed) and adds them to a 32-bit lane:
// nothing is widened. All lanes of a row together reach at most 2 * 128 * k, and k is at most 2^22
// (models/hyper_parameters.cpp): half of what 32 bits hold. The +1 in the codes is taken away by the column's sum. In
// an anonymous namespace, as avx2/simd.hpp.
#pragma once

#include "kernels/avx2/ternary_blocks.hpp"

namespace tern::kernels::avxvnni {
namespace {

/// sum + four products of bytes of u (unsigned) and s (signed), in each 32-bit lane.
inline __m256i add_products(__m256i sum, __m256i u, __m256i s) {
  return _mm256_dpbusd_avx_epi32(sum, u, s);
}

/// One row against C columns, in S sums a column: one alone would wait for itself, five cycles a step.
template <int C, int S>
[[gnu::noinline]] void row_by_few(const std::uint8_t* w, const std::int8_t* x, std::int64_t x_stride,
                                  std::int64_t groups, const std::int32_t* x_sums, std::int32_t* y,
                                  std::size_t y_stride) {
  const __m256i mask = _mm256_set1_epi8(3);
  __m256i sums[C][S];
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (int p = 0; p < S; ++p) sums[c][p] = _mm256_setzero_si256();
  }
  for (std::int64_t g = 0; g < groups; ++g) {
    if ((g & 1) == 0) avx2::prefetch(w + g * 32);
    const __m256i b = avx2::load(w + g * 32);
    const __m256i planes[4] = {_mm256_and_si256(_mm256_srli_epi16(b, 6), mask),
                               _mm256_and_si256(_mm256_srli_epi16(b, 4), mask),
                               _mm256_and_si256(_mm256_srli_epi16(b, 2), mask), _mm256_and_si256(b, mask)};
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      const std::int8_t* v = x + c * x_stride + g * avx2::kGroup;
#pragma GCC unroll 8
      for (int p = 0; p < 4; ++p) sums[c][p % S] = add_products(sums[c][p % S], planes[p], avx2::load(v + 32 * p));
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
    __m256i all = sums[c][0];
#pragma GCC unroll 8
    for (int p = 1; p < S; ++p) all = _mm256_add_epi32(all, sums[c][p]);
    y[static_cast<std::size_t>(c) * y_stride] = avx2::sum_lanes(all) - x_sums[c];
  }
}

template <int C, int S>
void few_columns(const TernaryArgs& a) {
  const std::int64_t row_bytes = a.k_padded / 4;
  for (std::int64_t r = 0; r < a.n_rows; ++r) {
    row_by_few<C, S>(a.w + r * row_bytes, a.x, a.k_padded, a.k_padded / avx2::kGroup, a.x_sums, a.y + r, a.y_stride);
  }
}

/// One group of a row against one column: ones += code * x of the planes at bits 5-4 and 1-0, fours += 4 * code * x of
/// the planes at bits 7-6 and 3-2, which are used in place.
inline void add_group(__m256i& ones, __m256i& fours, const std::uint8_t* p, const std::int8_t* x) {
  const __m256i low = _mm256_set1_epi8(0x03);
  const __m256i high = _mm256_set1_epi8(0x0c);
  const __m256i b = avx2::load(p);
  const __m256i t = _mm256_srli_epi16(b, 4);
  fours = add_products(fours, _mm256_and_si256(t, high), avx2::load(x));
  ones = add_products(ones, _mm256_and_si256(t, low), avx2::load(x + 32));
  fours = add_products(fours, _mm256_and_si256(b, high), avx2::load(x + 64));
  ones = add_products(ones, _mm256_and_si256(b, low), avx2::load(x + 96));
}

/// R rows, `row_bytes` apart, against one column. Fours reach four times as much as ones, in half of the planes of each
/// lane: at most 2 * 4 * 128 * k / 16 either way.
template <int R>
inline void rows_by_one(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x, std::int64_t groups,
                        std::int32_t x_sum, std::int32_t* y, std::int64_t y_stride) {
  __m256i ones[R];
  __m256i fours[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) ones[r] = fours[r] = _mm256_setzero_si256();
  std::int64_t g = 0;
  for (; g + 2 <= groups; g += 2) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const std::uint8_t* p = w + r * row_bytes + g * 32;
      avx2::prefetch_stream(p);
      add_group(ones[r], fours[r], p, x + g * avx2::kGroup);
      add_group(ones[r], fours[r], p + 32, x + (g + 1) * avx2::kGroup);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    if (g < groups) add_group(ones[r], fours[r], w + r * row_bytes + g * 32, x + g * avx2::kGroup);
    ones[r] = _mm256_add_epi32(ones[r], _mm256_srai_epi32(fours[r], 2));
  }
  avx2::store_sums<R>(ones, x_sum, y, y_stride);
}

inline void one_column(const TernaryArgs& a) {
  avx2::each_row_of_streams(
      a, [&]<int R>(const std::uint8_t* w, std::int64_t stride, std::int32_t* y, std::int64_t y_stride) {
        rows_by_one<R>(w, stride, a.x, a.k_padded / avx2::kGroup, a.x_sums[0], y, y_stride);
      });
}

}  // namespace
}  // namespace tern::kernels::avxvnni
