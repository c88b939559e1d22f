// Exact integer products with ternary weights by columns (layout: kernels/ternary_panels.hpp), AVX2.
//
// What one column of the input takes: two columns of weights at a time. Their bytes are interleaved, so that vpmaddubsw
// adds two products of a row, at most 508 and at least -512: 64 pairs fit a 16-bit lane (ternary.cpp).
// All of several columns: 256 columns of weights of half a panel are unpacked into L1, four columns of eight rows to a
// register, and go against six columns of the input at once, whose codes are broadcast (ternary_panel_tile.hpp).
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"
#include "kernels/avx2/ternary_panel_tile.hpp"
#include "kernels/ternary_panel_layout.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kPairs = 64;  // that fit

inline __m256i plane(__m256i v, int shift) {
  return _mm256_and_si256(_mm256_srli_epi16(v, shift), _mm256_set1_epi8(3));
}

/// y[0 .. 8) += v.
inline void add_to(std::int32_t* y, __m256i v) {
  store(y, _mm256_add_epi32(load(y), v));
}

/// Where taken column `at` lies, which may be one of the panel that comes next. (A function that did nothing but fetch
/// from there GCC 12 would leave out.)
inline const char* ahead(const TernaryTakenArgs& a, std::int64_t at) {
  const std::uint8_t* panel = at < a.n_taken ? a.w : a.next;
  return reinterpret_cast<const char*>(panel) + std::size_t{a.taken[at]} * kTernaryPanelColumn;
}

/// Adds the taken columns [first, last), at most two times kPairs of them, to the rows of half `half` of a panel.
template <int half>
inline void add_columns(const TernaryTakenArgs& a, std::int64_t first, std::int64_t last) {
  __m256i sums[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) sums[i] = _mm256_setzero_si256();
  for (std::int64_t t = first; t < last; t += 2) {
    if constexpr (half == 0) {
      _mm_prefetch(ahead(a, t + kTernaryPanelNear), _MM_HINT_T0);
      _mm_prefetch(ahead(a, t + kTernaryPanelNear + 1), _MM_HINT_T0);
      _mm_prefetch(ahead(a, t + kTernaryPanelFar), _MM_HINT_T1);
      _mm_prefetch(ahead(a, t + kTernaryPanelFar + 1), _MM_HINT_T1);
    }
    const __m256i one = load(a.w + std::size_t{a.taken[t]} * kTernaryPanelColumn + 32 * half);
    const __m256i two = load(a.w + std::size_t{a.taken[t + 1]} * kTernaryPanelColumn + 32 * half);
    std::int16_t codes;
    __builtin_memcpy(&codes, a.codes + t, 2);
    const __m256i x = _mm256_set1_epi16(codes);
    const __m256i low = _mm256_unpacklo_epi8(one, two);
    const __m256i high = _mm256_unpackhi_epi8(one, two);
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      sums[2 * p] = _mm256_add_epi16(sums[2 * p], _mm256_maddubs_epi16(plane(low, 6 - 2 * p), x));
      sums[2 * p + 1] = _mm256_add_epi16(sums[2 * p + 1], _mm256_maddubs_epi16(plane(high, 6 - 2 * p), x));
    }
  }
  // Lanes of sums[2 p + q]: four rows each at 32 q + 8 half, 16 further, and 4 further than these two.
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sums[i]));
    const __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sums[i], 1));
    std::int32_t* rows = a.y + i / 2 * 64 + i % 2 * 32 + 8 * half;
    add_to(rows, _mm256_permute2x128_si256(low, high, 0x20));
    add_to(rows + 16, _mm256_permute2x128_si256(low, high, 0x31));
  }
}

/// Columns [k0, k0 + n) of half a panel, n a multiple of 4, as kGroups groups of 16 rows: for every four columns 64
/// bytes, eight rows and then eight more, four neighbouring columns of a row to a lane.
inline void unpack(const std::uint8_t* columns, std::int64_t n, int half, std::uint8_t* out) {
  for (std::int64_t k = 0; k < n; k += 4, columns += 4 * kTernaryPanelColumn, out += kStepBytes) {
    __m256i bytes[4];
    for (int i = 0; i < 4; ++i) bytes[i] = load(columns + i * kTernaryPanelColumn + 32 * half);
    const __m256i low0 = _mm256_unpacklo_epi8(bytes[0], bytes[1]);
    const __m256i low1 = _mm256_unpacklo_epi8(bytes[2], bytes[3]);
    const __m256i high0 = _mm256_unpackhi_epi8(bytes[0], bytes[1]);
    const __m256i high1 = _mm256_unpackhi_epi8(bytes[2], bytes[3]);
    const __m256i fours[4] = {_mm256_unpacklo_epi16(low0, low1), _mm256_unpackhi_epi16(low0, low1),
                              _mm256_unpacklo_epi16(high0, high1), _mm256_unpackhi_epi16(high0, high1)};
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
#pragma GCC unroll 4
      for (int m = 0; m < 4; ++m) {
        store(out + (2 * p + m / 2) * kGroupBytes + m % 2 * 32, plane(fours[m], 6 - 2 * p));
      }
    }
  }
}

/// A group of unpacked rows against C columns of the input.
template <int C>
inline void add_tile(const TernaryPanelArgs& a, const std::uint8_t* group, std::int64_t k0, std::int64_t n,
                     std::int64_t column, std::int64_t n_cols, std::int32_t* rows) {
  const std::int8_t* x[C];
  for (std::int64_t c = 0; c < C; ++c) {
    x[c] = a.x + static_cast<std::size_t>(column + (c < n_cols ? c : 0)) * a.x_stride + k0;
  }
  alignas(32) __m256i sums[2 * C];
  ternary_panel_tile<C>(group, x, n, sums);
  for (std::int64_t c = 0; c < C && c < n_cols; ++c) {
    std::int32_t* y = rows + static_cast<std::size_t>(column + c) * a.y_stride;
    add_to(y, widen(sums[2 * c]));
    add_to(y + 16, widen(sums[2 * c + 1]));
  }
}

}  // namespace

void ternary_panel(const TernaryPanelArgs& a) {
  alignas(64) std::uint8_t codes[kGroups * kGroupBytes];
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    std::int32_t* y = a.y + static_cast<std::size_t>(c) * a.y_stride;
    for (std::int64_t r = 0; r < kTernaryPanel; r += 8) store(y + r, _mm256_set1_epi32(-a.x_sums[c]));
  }
  for (std::int64_t k0 = 0; k0 < a.k; k0 += kTileColumns) {
    const std::int64_t n = a.k - k0 < kTileColumns ? a.k - k0 : kTileColumns;
    for (int half = 0; half < 2; ++half) {
      unpack(a.w + k0 * kTernaryPanelColumn, n, half, codes);
      for (int g = 0; g < kGroups; ++g) {
        const std::uint8_t* group = codes + g * kGroupBytes;
        std::int32_t* rows = a.y + g / 2 * 64 + g % 2 * 32 + 8 * half;
        std::int64_t c = 0;
        for (; c + 4 < a.n_cols; c += 6) add_tile<6>(a, group, k0, n, c, a.n_cols - c, rows);
        if (c + 2 < a.n_cols) {
          add_tile<4>(a, group, k0, n, c, a.n_cols - c, rows);
        } else if (c < a.n_cols) {
          add_tile<2>(a, group, k0, n, c, a.n_cols - c, rows);
        }
      }
    }
  }
}

void ternary_taken(const TernaryTakenArgs& a) {
  for (std::int64_t r = 0; r < kTernaryPanel; r += 8) store(a.y + r, _mm256_set1_epi32(-a.x_sum));
  for (std::int64_t t = 0; t < a.n_taken; t += 2 * kPairs) {
    const std::int64_t end = a.n_taken - t < 2 * kPairs ? a.n_taken : t + 2 * kPairs;
    add_columns<0>(a, t, end);
    add_columns<1>(a, t, end);
  }
}

}  // namespace tern::kernels::avx2

#endif
