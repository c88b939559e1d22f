// Products with packed binary weights by look-up, for one column and a few (layout, tables and bounds:
// kernels/binary_pack.hpp). In an anonymous namespace, as simd.hpp: each file has its own copies.
//
// A vector is one step of a panel: 32 rows of 8 columns. vpshufb looks up what 32 rows add for 4 columns, its low and
// its high parts with a table each. Parts are at most 31, so eight of them fit into a byte; then low + 32 * high, at
// most 8 * 1023 = 8184, goes to 16-bit lanes, which hold eight of those: at most 65472, unsigned. They are widened
// after 256 columns. All sums are integers, so that any order gives the same.
#pragma once

#include "kernels/avx2/simd.hpp"
#include "kernels/avx2/ternary_blocks.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kPanel = 32;      // rows
constexpr std::int64_t kPartSteps = 32;  // of 8 columns each: what 16-bit lanes hold

inline __m256i table_of(const std::uint8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

/// Bytes of low and of high parts as 16-bit lanes low + 32 * high: rows 0-7 and 16-23, then 8-15 and 24-31.
struct Joined {
  __m256i v[2];
};
inline Joined joined(__m256i low, __m256i high) {
  const __m256i factors = _mm256_set1_epi16(32 << 8 | 1);
  return {{_mm256_maddubs_epi16(_mm256_unpacklo_epi8(low, high), factors),
           _mm256_maddubs_epi16(_mm256_unpackhi_epi8(low, high), factors)}};
}

/// The sums of 32 rows in 32-bit lanes; lanes as unpacking leaves them, in memory or registers.
struct Sums {
  __m256i v[4];
  inline void clear() {
    for (__m256i& part : v) part = _mm256_setzero_si256();
  }
  /// Unsigned 16-bit lanes.
  inline void add(const __m256i (&lanes)[2]) {
    const __m256i zero = _mm256_setzero_si256();
    for (int i = 0; i < 2; ++i) {
      v[2 * i] = _mm256_add_epi32(v[2 * i], _mm256_unpacklo_epi16(lanes[i], zero));
      v[2 * i + 1] = _mm256_add_epi32(v[2 * i + 1], _mm256_unpackhi_epi16(lanes[i], zero));
    }
  }
};

/// What remains to be done to the sums of one column.
struct Finish {
  __m256i offset;
  __m256 x_scale, w_scale;
  Finish(const BinaryArgs& a, std::int64_t column)
      : offset(_mm256_set1_epi32(static_cast<std::int32_t>(1024 * (a.k_padded / 4)) + a.x_sums[column])),
        x_scale(_mm256_set1_ps(a.x_scales[column])),
        w_scale(_mm256_set1_ps(a.w_scale)) {}
  [[nodiscard]] inline __m256 scaled(__m256i sum) const {
    const __m256 product = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_add_epi32(sum, sum), offset));
    return _mm256_mul_ps(_mm256_div_ps(product, x_scale), w_scale);
  }
  /// Rows in order.
  inline void operator()(const Sums& sums, float* y) const {
    const __m256 a = scaled(sums.v[0]), b = scaled(sums.v[1]), c = scaled(sums.v[2]), d = scaled(sums.v[3]);
    _mm256_storeu_ps(y, _mm256_permute2f128_ps(a, b, 0x20));
    _mm256_storeu_ps(y + 8, _mm256_permute2f128_ps(c, d, 0x20));
    _mm256_storeu_ps(y + 16, _mm256_permute2f128_ps(a, b, 0x31));
    _mm256_storeu_ps(y + 24, _mm256_permute2f128_ps(c, d, 0x31));
  }
};

/// R panels, `stride` bytes apart, against C columns: a few steps of all of them at once.
template <int R, int C>
inline void panels_by(const BinaryArgs& a, std::int64_t panel, std::int64_t stride_panels, std::int64_t column) {
  const __m256i mask = _mm256_set1_epi8(15);
  const std::int64_t n_steps = a.k_padded / 8;
  const std::uint8_t* w = a.w + panel * n_steps * kPanel;
  const std::int64_t stride = stride_panels * n_steps * kPanel;
  const std::uint8_t* tables = a.tables + static_cast<std::size_t>(column) * a.table_stride;
  Sums sums[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) sums[r][c].clear();
  }
  for (std::int64_t s = 0; s < n_steps;) {
    const std::int64_t end = s + kPartSteps < n_steps ? s + kPartSteps : n_steps;
    __m256i lanes[R][C][2];
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < C; ++c) lanes[r][c][0] = lanes[r][c][1] = _mm256_setzero_si256();
    }
    for (; s < end; s += 4) {
      __m256i low[R][C];
      __m256i high[R][C];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        __m256i bits[R];
        for (int r = 0; r < R; ++r) {
          const std::uint8_t* p = w + r * stride + (s + i) * kPanel;
          if (i % 2 == 0) prefetch_stream(p);  // two lines a stream, as far ahead as in ternary_blocks.hpp
          bits[r] = load(p);
        }
        for (int half = 0; half < 2; ++half) {
          __m256i nibbles[R];
          for (int r = 0; r < R; ++r)
            nibbles[r] = _mm256_and_si256(half == 0 ? bits[r] : _mm256_srli_epi16(bits[r], 4), mask);
          for (int c = 0; c < C; ++c) {
            const std::uint8_t* table =
                tables + static_cast<std::size_t>(c) * a.table_stride + (s + i) * 64 + half * 32;
            const __m256i table_low = table_of(table), table_high = table_of(table + 16);
            for (int r = 0; r < R; ++r) {
              const __m256i l = _mm256_shuffle_epi8(table_low, nibbles[r]);
              const __m256i h = _mm256_shuffle_epi8(table_high, nibbles[r]);
              if (i == 0 && half == 0) {
                low[r][c] = l;
                high[r][c] = h;
              } else {
                low[r][c] = _mm256_add_epi8(low[r][c], l);
                keep(low[r][c]);
                high[r][c] = _mm256_add_epi8(high[r][c], h);
                keep(high[r][c]);
              }
            }
          }
        }
      }
      for (int r = 0; r < R; ++r) {
        for (int c = 0; c < C; ++c) {
          const Joined both = joined(low[r][c], high[r][c]);
          for (int i = 0; i < 2; ++i) lanes[r][c][i] = _mm256_add_epi16(lanes[r][c][i], both.v[i]);
        }
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < C; ++c) sums[r][c].add(lanes[r][c]);
    }
  }
  for (int c = 0; c < C; ++c) {
    const Finish finish(a, column + c);
    float* y = a.y + static_cast<std::size_t>(column + c) * a.y_stride;
    for (int r = 0; r < R; ++r) finish(sums[r][c], y + (panel + r * stride_panels) * kPanel);
  }
}

/// One column reads two streams of panels: a core has more lines under way than it would for one.
inline void one_column(const BinaryArgs& a) {
  const std::int64_t share = a.n_panels / 2;
  for (std::int64_t p = 0; p < share; ++p) panels_by<2, 1>(a, p, share, 0);
  if (a.n_panels % 2 != 0) panels_by<1, 1>(a, a.n_panels - 1, 0, 0);
}

/// Two or three columns at a time, whose sums fit into registers, while a panel is in the cache.
inline void few_columns(const BinaryArgs& a) {
  for (std::int64_t p = 0; p < a.n_panels; ++p) {
    for (std::int64_t c = 0; c < a.n_cols;) {
      const std::int64_t left = a.n_cols - c;
      if (left == 3 || left >= 5) {
        panels_by<1, 3>(a, p, 0, c);
        c += 3;
      } else {
        panels_by<1, 2>(a, p, 0, c);
        c += 2;
      }
    }
  }
}

/// More columns than these go through unpacked panels: their tables and codes are read again for every panel here.
constexpr std::int64_t kFewColumns = 7;

}  // namespace
}  // namespace tern::kernels::avx2
