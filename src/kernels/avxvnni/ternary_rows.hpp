// Packed ternary rows against one or a few columns by vpdpbusd in 32-byte registers: a plane of a group is 32 columns.
// It multiplies four weight codes 0..2 (unsigned) with four activations (signed) and adds them to a 32-bit lane:
// nothing is widened. All lanes of a row together reach at most 2 * 128 * k, and k is at most 2^22
// (models/hyper_parameters.cpp): half of what 32 bits hold. The +1 in the codes is taken away by the column's sum. One
// column serves AVX-512 with VNNI too, whose encoding differs. In an anonymous namespace, as avx2/simd.hpp.
#pragma once

#include "kernels/avx2/ternary_blocks.hpp"

namespace tern::kernels::avxvnni {
namespace {

/// sum + four products of bytes of u (unsigned) and s (signed), in each 32-bit lane.
inline __m256i add_products(__m256i sum, __m256i u, __m256i s) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
  return _mm256_dpbusd_epi32(sum, u, s);
#else
  return _mm256_dpbusd_avx_epi32(sum, u, s);
#endif
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

/// R rows, `row_bytes` apart, against one column: more sums at once, so that none waits for itself.
template <int R>
inline void rows_by_one(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x, std::int64_t groups,
                        std::int32_t x_sum, std::int32_t* y, std::int64_t y_stride) {
  const __m256i mask = _mm256_set1_epi8(3);
  __m256i even[R];
  __m256i odd[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) even[r] = odd[r] = _mm256_setzero_si256();
  for (std::int64_t g = 0; g < groups; ++g) {
    const std::int8_t* v = x + g * avx2::kGroup;
    const __m256i x0 = avx2::load(v), x1 = avx2::load(v + 32), x2 = avx2::load(v + 64), x3 = avx2::load(v + 96);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const std::uint8_t* p = w + r * row_bytes + g * 32;
      if ((g & 1) == 0) avx2::prefetch_stream(p);
      const __m256i b = avx2::load(p);
      even[r] = add_products(even[r], _mm256_and_si256(_mm256_srli_epi16(b, 6), mask), x0);
      odd[r] = add_products(odd[r], _mm256_and_si256(_mm256_srli_epi16(b, 4), mask), x1);
      even[r] = add_products(even[r], _mm256_and_si256(_mm256_srli_epi16(b, 2), mask), x2);
      odd[r] = add_products(odd[r], _mm256_and_si256(b, mask), x3);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) y[r * y_stride] = avx2::sum_lanes(_mm256_add_epi32(even[r], odd[r])) - x_sum;
}

inline void one_column(const TernaryArgs& a) {
  avx2::each_row_of_streams(
      a, [&]<int R>(const std::uint8_t* w, std::int64_t stride, std::int32_t* y, std::int64_t y_stride) {
        rows_by_one<R>(w, stride, a.x, a.k_padded / avx2::kGroup, a.x_sums[0], y, y_stride);
      });
}

}  // namespace
}  // namespace tern::kernels::avxvnni
