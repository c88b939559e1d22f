// What products that look up sums of activations have in common, for 32 columns of the input at once: lines of 32 sums
// of 16 bits in tables, indexed by what a few weights are, and rows of 32 sums that become outputs. In an anonymous
// namespace, as simd.hpp: each file has its own copies, compiled for its own instructions.
#pragma once

#include "kernels/avx2/simd.hpp"
#include "kernels/sum_tables_layout.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kLine = kSumColumns * 2;  // bytes
static_assert(kLine == 64);

inline __m256i add16(__m256i a, __m256i b) {
  return _mm256_add_epi16(a, b);
}

/// Eight neighbouring codes of each of 16 columns of the input become eight vectors of 16 numbers.
inline void transpose_codes(const std::int8_t* const* columns, std::int64_t k, __m256i* out) {
  __m128i a[16];
  for (int i = 0; i < 16; ++i) a[i] = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(columns[i] + k));
  __m128i b[8];  // two columns each
  for (int i = 0; i < 8; ++i) b[i] = _mm_unpacklo_epi8(a[2 * i], a[2 * i + 1]);
  __m128i c[8];  // four columns: codes 0 to 3, codes 4 to 7
  for (int i = 0; i < 4; ++i) {
    c[2 * i] = _mm_unpacklo_epi16(b[2 * i], b[2 * i + 1]);
    c[2 * i + 1] = _mm_unpackhi_epi16(b[2 * i], b[2 * i + 1]);
  }
  __m128i d[8];  // eight columns: two codes each
  for (int i = 0; i < 2; ++i) {
    for (int h = 0; h < 2; ++h) {
      d[4 * i + 2 * h] = _mm_unpacklo_epi32(c[4 * i + h], c[4 * i + 2 + h]);
      d[4 * i + 2 * h + 1] = _mm_unpackhi_epi32(c[4 * i + h], c[4 * i + 2 + h]);
    }
  }
  for (int j = 0; j < 4; ++j) {
    out[2 * j] = _mm256_cvtepi8_epi16(_mm_unpacklo_epi64(d[j], d[4 + j]));
    out[2 * j + 1] = _mm256_cvtepi8_epi16(_mm_unpackhi_epi64(d[j], d[4 + j]));
  }
}

/// A line in registers.
struct Line {
  __m256i a;
  __m256i b;

  static Line zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static Line load(const void* p) { return {avx2::load(p), avx2::load(static_cast<const char*>(p) + 32)}; }
  void add(const char* p) {
    a = add16(a, avx2::load(p));
    keep(a);
    b = add16(b, avx2::load(p + 32));
    keep(b);
  }
  void store(std::int16_t* p) const {
    avx2::store(p, a);
    avx2::store(p + 16, b);
  }
  /// As 32-bit numbers, put to `to` or added there.
  template <bool kAdds>
  void widen(std::int32_t* to) const {
    const __m256i wide[4] = {
        _mm256_cvtepi16_epi32(_mm256_castsi256_si128(a)), _mm256_cvtepi16_epi32(_mm256_extracti128_si256(a, 1)),
        _mm256_cvtepi16_epi32(_mm256_castsi256_si128(b)), _mm256_cvtepi16_epi32(_mm256_extracti128_si256(b, 1))};
    for (int i = 0; i < 4; ++i) {
      avx2::store(to + 8 * i, kAdds ? _mm256_add_epi32(avx2::load(to + 8 * i), wide[i]) : wide[i]);
    }
  }
};

/// The sums of rows, [n_rows up to a multiple of 8][32], become outputs y[c * y_stride + r] of up to 32 columns:
/// scaled(c, eight sums of column c).
template <class F>
inline void finish_rows(const std::int32_t* totals, std::int64_t n_rows, std::int64_t n_cols, float* y,
                        std::size_t y_stride, F scaled) {
  for (std::int64_t r = 0; r < n_rows; r += 8) {
    const __m256i kept = first_lanes(n_rows - r < 8 ? n_rows - r : 8);
    for (std::int64_t c0 = 0; c0 < n_cols; c0 += 8) {
      __m256i rows[8];
      __m256i columns[8];
      for (int i = 0; i < 8; ++i) rows[i] = load(totals + (r + i) * kSumColumns + c0);
      transpose8(rows, columns);
      for (std::int64_t c = c0; c < c0 + 8 && c < n_cols; ++c) {
        _mm256_maskstore_ps(y + static_cast<std::size_t>(c) * y_stride + r, kept, scaled(c, columns[c - c0]));
      }
    }
  }
}

/// Where the codes of the 32 columns begin. Columns that the input lacks repeat its last; nobody looks at their sums.
inline void columns_of(const std::int8_t* x, std::size_t x_stride, std::int64_t n_cols, const std::int8_t** columns) {
  for (std::int64_t c = 0; c < kSumColumns; ++c) {
    columns[c] = x + static_cast<std::size_t>(c < n_cols ? c : n_cols - 1) * x_stride;
  }
}

}  // namespace
}  // namespace tern::kernels::avx2
