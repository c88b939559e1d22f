// Exact integer products with ternary weights by columns (layout: kernels/ternary_panels.hpp), AVX-512 with VNNI.
//
// Four columns of weights are interleaved, so that vpdpbusd adds four products of a row to its 32-bit lane: of
// what one column of the input takes, with all 256 rows of a panel in sixteen sums; of neighbouring columns, unpacked
// in L1 and L2, in tiles of 64 rows and six columns of the input. Sums are exact for the reason in
// avxvnni/ternary_rows.hpp.
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/avx512vnni/functions.hpp"
#include "kernels/avx512vnni/ternary_panel_tile.hpp"
#include "kernels/avx512vnni/ternary_panel_unpack.hpp"

namespace tern::kernels::avx512vnni {
namespace {

/// A plane of unpacked rows against C columns of the input.
template <int C>
inline void add_tile(const TernaryPanelArgs& a, const std::uint8_t* plane, std::int64_t k0, std::int64_t n,
                     std::int64_t column, std::int64_t n_cols, std::int32_t* rows) {
  const std::int8_t* x[C];
  for (std::int64_t c = 0; c < C; ++c) {
    x[c] = a.x + static_cast<std::size_t>(column + (c < n_cols ? c : 0)) * a.x_stride + k0;
  }
  alignas(64) __m512i sums[4 * C];
  ternary_panel_tile<C>(plane, x, n, sums);
  for (std::int64_t c = 0; c < C && c < n_cols; ++c) {
    std::int32_t* y = rows + static_cast<std::size_t>(column + c) * a.y_stride;
    for (int v = 0; v < 4; ++v) {
      const __m512i before = k0 == 0 ? _mm512_set1_epi32(-a.x_sums[column + c]) : _mm512_loadu_si512(y + 16 * v);
      _mm512_storeu_si512(y + 16 * v, _mm512_add_epi32(before, sums[4 * c + v]));
    }
  }
}

}  // namespace

void ternary_panel(const TernaryPanelArgs& a) {
  alignas(64) std::uint8_t codes[4 * kPlaneBytes];
  for (std::int64_t k0 = 0; k0 < a.k; k0 += kPanelTileColumns) {
    const std::int64_t n = a.k - k0 < kPanelTileColumns ? a.k - k0 : kPanelTileColumns;
    unpack_panel(a.w + k0 * kTernaryPanelColumn, n, codes);
    for (int q = 0; q < 4; ++q) {
      const std::uint8_t* plane = codes + q * kPlaneBytes;
      std::int32_t* rows = a.y + 64 * q;
      std::int64_t c = 0;
      for (; c + 4 < a.n_cols; c += 6) add_tile<6>(a, plane, k0, n, c, a.n_cols - c, rows);
      if (c + 2 < a.n_cols) {
        add_tile<4>(a, plane, k0, n, c, a.n_cols - c, rows);
      } else if (c < a.n_cols) {
        add_tile<2>(a, plane, k0, n, c, a.n_cols - c, rows);
      }
    }
  }
}

void ternary_taken(const TernaryTakenArgs& a) {
  const auto fetch = [&](std::int64_t at) {
    const std::uint8_t* panel = at < a.n_taken ? a.w : a.next;
    return reinterpret_cast<const char*>(panel) + std::size_t{a.taken[at]} * kTernaryPanelColumn;
  };
  __m512i sums[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) sums[i] = _mm512_set1_epi32(-a.x_sum);
  for (std::int64_t t = 0; t < a.n_taken; t += 4) {
    __m512i columns[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      _mm_prefetch(fetch(t + kTernaryPanelNear + i), _MM_HINT_T0);
      _mm_prefetch(fetch(t + kTernaryPanelFar + i), _MM_HINT_T1);
      columns[i] = _mm512_loadu_si512(a.w + std::size_t{a.taken[t + i]} * kTernaryPanelColumn);
    }
    __m512i fours[4];
    interleave(columns, fours);
    const __m512i x = broadcast4(a.codes + t);
#pragma GCC unroll 4
    for (unsigned q = 0; q < 4; ++q) {
#pragma GCC unroll 4
      for (unsigned m = 0; m < 4; ++m) {
        sums[4 * q + m] = _mm512_dpbusd_epi32(sums[4 * q + m], plane(fours[m], 6 - 2 * q), x);
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_storeu_si512(a.y + 16 * i, sums[i]);
}

}  // namespace tern::kernels::avx512vnni

#endif
