// Weights in blocks of 256 times q8_k activations, AVX2: Q6_K, Q5_K, Q4_K, Q3_K, Q2_K, TQ2_0, TQ1_0.
//
// A weight is d * s * code - (d or dmin) * m, with integers s and m for each run of 16 or 32 values. Every output has
// one order of operations: block by block in the order of k, I = sum of s * code * x and M = sum of m * x exactly in
// integers,
//   formats with a minimum of their own:  y = fma(float(I), d * d_x, y), then y = fma(-float(M), dmin * d_x, y);
//   the others (m is an offset of the code): y = fma(float(I - M), d * d_x, y).
// So how I and M are formed is free, and is done with eight rows together: one column or a few row by row
// in eight streams, many columns over a transposed panel in L1.
//
// Activation codes must lie in -127..127, as quantize_q8_k makes them (bounds below allow -128 as well).
#if defined(__x86_64__)

#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/codes_q8_k.hpp"
#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"
#include "kernels/avx2/streams.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kPanelBlocks = 4;  // 4 x (2048 + 512 + 256 + 64) bytes
constexpr std::int64_t kColumns = 64;
// Columns that rows are unpacked for as they come from memory, and those for which panels take a row as a whole: a head
// of 128256 rows in Q6_K, two threads, milliseconds for 2, 4, 5 and 8 columns before 20, 23, 29 and 34, now 11.5, 18,
// 22.6 and 28; unpacking in streams for 8 took 36 (tern bench -s 2,4,5,8 --operations; Xeon, 2026-11).
constexpr std::int64_t kUnpackedInStreams = 4;
constexpr std::int64_t kStreamedColumns = 16;
static_assert(kUnpackedInStreams <= kMostOfFew);

/// The eight rows of a panel.
template <class F>
struct Rows : EightRows<typename F::Block> {
  using EightRows<typename F::Block>::EightRows;
  explicit Rows(const EightRows<typename F::Block>& rows) : EightRows<typename F::Block>(rows) {}
  [[nodiscard]] inline __m256 scales(std::int64_t b) const {
    const auto& row = this->p;
    return halves_to_floats(row[0][b].d, row[1][b].d, row[2][b].d, row[3][b].d, row[4][b].d, row[5][b].d, row[6][b].d,
                            row[7][b].d);
  }
  [[nodiscard]] inline __m256 minima(std::int64_t b) const {
    const auto& row = this->p;
    return halves_to_floats(F::minimum(row[0][b]), F::minimum(row[1][b]), F::minimum(row[2][b]), F::minimum(row[3][b]),
                            F::minimum(row[4][b]), F::minimum(row[5][b]), F::minimum(row[6][b]), F::minimum(row[7][b]));
  }
};

/// The one order of float operations.
template <class F>
inline __m256 add_block(__m256 y, __m256i products, __m256i minima, __m256 d, __m256 dmin, const float* d_x) {
  const __m256 scale = _mm256_broadcast_ss(d_x);
  if constexpr (F::kHasMinimum) {
    y = _mm256_fmadd_ps(_mm256_cvtepi32_ps(products), _mm256_mul_ps(d, scale), y);
    return _mm256_fnmadd_ps(_mm256_cvtepi32_ps(minima), _mm256_mul_ps(dmin, scale), y);
  }
  return _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(products, minima)), _mm256_mul_ps(d, scale), y);
}

/// One row's block against those of C columns: products[8 c] and minima[8 c] are vectors whose lanes sum to I and M; to
/// I - M and to nothing where the format has no minimum of its own.
template <class F, int C>
inline void row_block(const typename F::Block& w, const BlockQ8_K* const* x, __m256i* products, __m256i* minima) {
  __m256i q[8];
  F::codes(w, q);
  __m256i s;
  __m256i m;
  F::factors(w, s, m);
  __m256i sums[C];
  if constexpr (F::kUnitFactors) {
    for (int c = 0; c < C; ++c) sums[c] = _mm256_maddubs_epi16(q[0], load(x[c]->q));
#pragma GCC unroll 8
    for (int i = 1; i < 8; ++i) {
      for (int c = 0; c < C; ++c) {
        sums[c] = _mm256_add_epi16(sums[c], _mm256_maddubs_epi16(q[i], load(x[c]->q + 32 * i)));
      }
    }
    for (int c = 0; c < C; ++c) sums[c] = _mm256_madd_epi16(sums[c], s);
  } else {
    for (int c = 0; c < C; ++c) sums[c] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {  // factor i of each half in all its lanes
      const __m256i f = _mm256_shuffle_epi8(s, _mm256_set1_epi16(static_cast<short>((2 * i + 1) << 8 | 2 * i)));
      for (int c = 0; c < C; ++c) {
        const __m256i pairs = _mm256_maddubs_epi16(q[i], load(x[c]->q + 32 * i));
        sums[c] = _mm256_add_epi32(sums[c], _mm256_madd_epi16(pairs, f));
      }
    }
  }
  for (int c = 0; c < C; ++c) {
    const __m256i minimum = _mm256_madd_epi16(m, load(x[c]->sums));
    products[8 * c] = F::kHasMinimum ? sums[c] : _mm256_sub_epi32(sums[c], minimum);
    if constexpr (F::kHasMinimum) minima[8 * c] = minimum;
  }
}

template <class F>
inline void one_column(const MatmulArgs& a) {
  const std::int64_t n_blocks = a.k / 256;
  const BlockQ8_K* x = static_cast<const BlockQ8_K*>(a.x);
  each_eight_rows<typename F::Block>(a, true, [&](const EightRows<typename F::Block>& rows, __m256 y) {
    const Rows<F> w(rows);
    for (std::int64_t b = 0; b < n_blocks; ++b) {
      __m256i products[8];
      __m256i minima[8];
      const BlockQ8_K* block = x + b;
      // Left rolled, it reads 13.3 instead of 14.6 GB/s at some distances between the streams (Q6_K, 320 rows a call).
#pragma GCC unroll 8
      for (int r = 0; r < 8; ++r) {
        prefetch_block(w.p[r] + b);
        row_block<F, 1>(w.p[r][b], &block, &products[r], &minima[r]);
      }
      __m256i minimum = _mm256_setzero_si256();
      __m256 dmin = _mm256_setzero_ps();
      if constexpr (F::kHasMinimum) {
        minimum = sums_of_eight(minima);
        dmin = w.minima(b);
      }
      y = add_block<F>(y, sums_of_eight(products), minimum, w.scales(b), dmin, &x[b].d);
    }
    return y;
  });
}

/// As one_column; a row's block is unpacked once for C columns.
template <class F>
inline void few_columns(const MatmulArgs& a) {
  const std::int64_t n_blocks = a.k / 256;
  each_eight_rows_by_few<typename F::Block>(a, [&](const EightRows<typename F::Block>& rows, __m256* y) {
    const Rows<F> w(rows);
    for (std::int64_t b = 0; b < n_blocks; ++b) {
      __m256i products[kMostOfFew * 8];
      __m256i minima[kMostOfFew * 8];
      const BlockQ8_K* x[kMostOfFew];
      for (std::int64_t c = 0; c < a.n_cols; ++c) x[c] = column_of<BlockQ8_K>(a, c) + b;
      for (int r = 0; r < 8; ++r) {
        prefetch_block(w.p[r] + b);
        each_few_columns(a.n_cols, [&]<int C>(std::int64_t c) {
          row_block<F, C>(w.p[r][b], x + c, products + 8 * c + r, minima + 8 * c + r);
        });
      }
      const __m256 d = w.scales(b);
      __m256 dmin = _mm256_setzero_ps();
      if constexpr (F::kHasMinimum) dmin = w.minima(b);
      for (std::int64_t c = 0; c < a.n_cols; ++c) {
        __m256i minimum = _mm256_setzero_si256();
        if constexpr (F::kHasMinimum) minimum = sums_of_eight(minima + 8 * c);
        y[c] = add_block<F>(y[c], sums_of_eight(products + 8 * c), minimum, d, dmin, &x[c]->d);
      }
    }
  });
}

struct PanelBlock {
  __m256i codes[64];    // vector i: lane r = codes 4i .. 4i+3 of row r
  __m256i factors[16];  // run i: lane r = the factor of row r, twice
  __m256i minima[8];    // lane r = m of runs 2i and 2i + 1 of row r
  __m256 d, dmin;
};

template <class F>
inline void fill(const Rows<F>& w, std::int64_t b, std::size_t next_rows, PanelBlock& out) {
  __m256i codes[8][8];  // [32 values][row]
  __m256i s[8];
  __m256i m[8];
  for (int r = 0; r < 8; ++r) {
    prefetch_range(reinterpret_cast<const char*>(w.p[r] + b) + next_rows, sizeof(typename F::Block));
    __m256i q[8];
    F::codes(w.p[r][b], q);
    for (int i = 0; i < 8; ++i) codes[i][r] = q[i];
    F::factors(w.p[r][b], s[r], m[r]);
  }
  for (int i = 0; i < 8; ++i) transpose8(codes[i], out.codes + 8 * i);
  if constexpr (!F::kUnitFactors) {
    __m256i t[8];
    transpose8(s, t);
    const __m256i low = _mm256_set1_epi32(0xffff);
    for (int i = 0; i < 8; ++i) {  // word i of a row: runs 4i, 4i + 2 (i < 4), then 4(i - 4) + 1, + 3
      const int run = i < 4 ? 4 * i : 4 * (i - 4) + 1;
      const __m256i first = _mm256_and_si256(t[i], low);
      const __m256i second = _mm256_srli_epi32(t[i], 16);
      out.factors[run] = _mm256_or_si256(first, _mm256_slli_epi32(first, 16));
      out.factors[run + 2] = _mm256_or_si256(second, _mm256_slli_epi32(second, 16));
    }
  }
  transpose8(m, out.minima);
  out.d = w.scales(b);
  if constexpr (F::kHasMinimum) out.dmin = w.minima(b);
}

template <class F, int C>
inline void tile(const PanelBlock* panel, const BlockQ8_K* const* x, std::int64_t n, __m256i live, bool first, float* y,
                 std::size_t y_stride) {
  for (std::int64_t b = 0; b < n; ++b) {
    const PanelBlock& w = panel[b];
    __m256i total[C];
    __m256i minimum[C];
    for (int c = 0; c < C; ++c) total[c] = minimum[c] = _mm256_setzero_si256();
    for (int i = 0; i < 64; i += F::kRun) {
      __m256i pairs[C];
      const __m256i w0 = w.codes[i];
      for (int c = 0; c < C; ++c) pairs[c] = _mm256_maddubs_epi16(w0, broadcast4(x[c][b].q + 4 * i));
#pragma GCC unroll 8
      for (int j = i + 1; j < i + F::kRun; ++j) {
        const __m256i v = w.codes[j];
        for (int c = 0; c < C; ++c) {
          pairs[c] = _mm256_add_epi16(pairs[c], _mm256_maddubs_epi16(v, broadcast4(x[c][b].q + 4 * j)));
          keep(pairs[c]);
        }
      }
      const __m256i f = F::kUnitFactors ? _mm256_set1_epi16(1) : w.factors[i / 4];
      for (int c = 0; c < C; ++c) {
        total[c] = _mm256_add_epi32(total[c], _mm256_madd_epi16(pairs[c], f));
        keep(total[c]);
      }
    }
    for (int i = 0; i < 8; ++i) {
      const __m256i v = w.minima[i];
      for (int c = 0; c < C; ++c) {
        minimum[c] = _mm256_add_epi32(minimum[c], _mm256_madd_epi16(v, broadcast4(x[c][b].sums + 2 * i)));
      }
    }
    for (int c = 0; c < C; ++c) {
      float* out = y + static_cast<std::size_t>(c) * y_stride;
      const __m256 before = first && b == 0 ? _mm256_setzero_ps() : _mm256_maskload_ps(out, live);
      _mm256_maskstore_ps(out, live, add_block<F>(before, total[c], minimum[c], w.d, w.dmin, &x[c][b].d));
    }
  }
}

/// Blocks [b0, b0 + n) of eight rows against the columns that begin at x, from block b0 on.
template <class F>
inline void rows_of_panel(const MatmulArgs& a, std::int64_t row, std::int64_t b0, std::int64_t n,
                          const BlockQ8_K* const* x, std::int64_t n_cols, float* y) {
  PanelBlock panel[kPanelBlocks];
  const Rows<F> w(a, row, 1);
  for (std::int64_t b = 0; b < n; ++b) fill<F>(w, b0 + b, 8 * a.w_row_bytes, panel[b]);
  const __m256i live = first_lanes(a.n_rows - row < 8 ? a.n_rows - row : 8);
  std::int64_t c = 0;
  for (; c + 4 <= n_cols; c += 4, y += 4 * a.y_stride) tile<F, 4>(panel, x + c, n, live, b0 == 0, y, a.y_stride);
  switch (n_cols - c) {
    case 3:
      tile<F, 3>(panel, x + c, n, live, b0 == 0, y, a.y_stride);
      break;
    case 2:
      tile<F, 2>(panel, x + c, n, live, b0 == 0, y, a.y_stride);
      break;
    case 1:
      tile<F, 1>(panel, x + c, n, live, b0 == 0, y, a.y_stride);
      break;
    default:
      break;
  }
}

template <class F>
inline void block_of_columns(const MatmulArgs& a, std::int64_t first_column, std::int64_t n_cols) {
  const BlockQ8_K* x[kColumns];
  const std::int64_t n_blocks = a.k / 256;
  const auto columns = [&](std::int64_t b0) {
    for (std::int64_t c = 0; c < n_cols; ++c) x[c] = column_of<BlockQ8_K>(a, first_column + c) + b0;
  };
  const auto rows = [&](std::int64_t row, std::int64_t b0) {
    const std::int64_t n = n_blocks - b0 < kPanelBlocks ? n_blocks - b0 : kPanelBlocks;
    rows_of_panel<F>(a, row, b0, n, x, n_cols, a.y + static_cast<std::size_t>(first_column) * a.y_stride + row);
  };
  if (n_cols <= kStreamedColumns) {
    for (std::int64_t row = 0; row < a.n_rows; row += 8) {
      for (std::int64_t b0 = 0; b0 < n_blocks; b0 += kPanelBlocks) {
        columns(b0);
        rows(row, b0);
      }
    }
    return;
  }
  for (std::int64_t b0 = 0; b0 < n_blocks; b0 += kPanelBlocks) {
    columns(b0);
    for (std::int64_t row = 0; row < a.n_rows; row += 8) rows(row, b0);
  }
}

template <class F>
inline void matmul(const MatmulArgs& a) {
  if (a.n_cols == 1) return one_column<F>(a);
  if (a.n_cols <= kUnpackedInStreams) return few_columns<F>(a);
  for (std::int64_t c = 0; c < a.n_cols; c += kColumns) {
    block_of_columns<F>(a, c, a.n_cols - c < kColumns ? a.n_cols - c : kColumns);
  }
}

}  // namespace

void matmul_q6_k(const MatmulArgs& args) {
  matmul<Q6_K>(args);
}
void matmul_q5_k(const MatmulArgs& args) {
  matmul<Q5_K>(args);
}
void matmul_q4_k(const MatmulArgs& args) {
  matmul<Q4_K>(args);
}
void matmul_q3_k(const MatmulArgs& args) {
  matmul<Q3_K>(args);
}
void matmul_q2_k(const MatmulArgs& args) {
  matmul<Q2_K>(args);
}
void matmul_tq2_0(const MatmulArgs& args) {
  matmul<TQ2_0>(args);
}
void matmul_tq1_0(const MatmulArgs& args) {
  matmul<TQ1_0>(args);
}

}  // namespace tern::kernels::avx2

#endif
