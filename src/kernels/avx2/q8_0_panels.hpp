// Weights in blocks of 32 (or 64, 128) times q8_0 activations, in registers of 256 bits: the loops, for any
// instructions that multiply.
//
// Every output has one order of operations: block by block of 32 in the order of k, the block's integer sum I exactly,
// then
//   y = fma(float(I), d_weight * d_x, y), and for formats with a minimum y = fma(m_weight, d_x * float(sum of x), y).
// So how I is formed is free. Eight rows are taken together, one in each lane of y. One column: each row's codes times
// the column's, then the eight vectors are summed across; the rows are read in eight streams. Several columns: a panel
// of eight rows is transposed into L1, four neighbouring k of each row to a lane, and the activations are broadcast;
// weights are unpacked once for up to 64 columns.
//
// The products are the instruction set's, a struct P; F is the format (codes_q8_0.hpp):
//   kOffset<F>                what a code stands above its value
//   codes<F>(row, b)          the 32 codes of block b as P multiplies them
//   sum<F>(codes, x)          eight lanes that add up to the sum of codes times x
//   sums<F, C>(panel, x, out) out[c]: a lane for each row of the panel's block, its sum with the 32 codes at x[c]
// Activation codes must lie in -127..127, as quantize_q8_0 makes them; every weight byte is legal. Everything is local
// to the file that includes this.
#pragma once

#include <cstdint>

#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/codes_q8_0.hpp"
#include "kernels/avx2/simd.hpp"
#include "kernels/avx2/streams.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kPanelBlocks = 32;    // blocks of a transposed panel: 32 x (256 + 64) bytes
constexpr std::int64_t kColumns = 64;        // columns that share a panel
constexpr std::int64_t kVectorBlocks = 512;  // blocks of one column prepared at a time

/// What one column contributes to each block besides its codes.
template <std::int64_t N>
struct Prepared {
  float d[N];
  std::int32_t offset[N];  // P::kOffset * sum of the codes
  float minimum[N];        // d * sum of the codes
};

template <class F, class P, std::int64_t N>
inline void prepare(const BlockQ8_0* x, std::int64_t n, Prepared<N>& out) {
  for (std::int64_t b = 0; b < n; ++b) {
    out.d[b] = half_to_float(x[b].d);
    if constexpr (P::template kOffset<F> != 0 || F::kHasMinimum) {
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), load(x[b].q));
      const std::int32_t sum = sum_lanes(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      out.offset[b] = P::template kOffset<F> * sum;
      out.minimum[b] = out.d[b] * static_cast<float>(sum);
    }
  }
}

/// The eight rows of a panel.
template <class F>
struct Rows : EightRows<typename F::Block> {
  using EightRows<typename F::Block>::EightRows;
  explicit Rows(const EightRows<typename F::Block>& rows) : EightRows<typename F::Block>(rows) {}
  [[nodiscard]] inline __m256 scales(std::int64_t b) const {
    const auto& row = this->p;
    return halves_to_floats(F::scale(row[0], b), F::scale(row[1], b), F::scale(row[2], b), F::scale(row[3], b),
                            F::scale(row[4], b), F::scale(row[5], b), F::scale(row[6], b), F::scale(row[7], b));
  }
  [[nodiscard]] inline __m256 minima(std::int64_t b) const {
    const auto& row = this->p;
    return halves_to_floats(F::minimum(row[0], b), F::minimum(row[1], b), F::minimum(row[2], b), F::minimum(row[3], b),
                            F::minimum(row[4], b), F::minimum(row[5], b), F::minimum(row[6], b), F::minimum(row[7], b));
  }
};

/// The one order of float operations.
template <class F, class P>
inline __m256 add_block(__m256 y, __m256i sum, __m256 d_weight, __m256 m_weight, const float* d_x,
                        const std::int32_t* offset, const float* minimum) {
  if constexpr (P::template kOffset<F> != 0) sum = _mm256_sub_epi32(sum, _mm256_set1_epi32(*offset));
  y = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_mul_ps(d_weight, _mm256_broadcast_ss(d_x)), y);
  if constexpr (F::kHasMinimum) y = _mm256_fmadd_ps(m_weight, _mm256_broadcast_ss(minimum), y);
  return y;
}

template <class F, class P>
inline void one_column(const MatmulArgs& a) {
  using Block = typename F::Block;
  constexpr std::int64_t kLineBlocks = blocks_of_a_line<Block>(F::kValues);
  Prepared<kVectorBlocks> column;
  const std::int64_t n_blocks = a.k / 32;
  const BlockQ8_0* x = static_cast<const BlockQ8_0*>(a.x);
  for (std::int64_t b0 = 0; b0 < n_blocks; b0 += kVectorBlocks) {
    const std::int64_t n = n_blocks - b0 < kVectorBlocks ? n_blocks - b0 : kVectorBlocks;
    prepare<F, P>(x + b0, n, column);
    each_eight_rows<Block>(a, b0 == 0, [&](const EightRows<Block>& rows, __m256 y) {
      const Rows<F> w(rows);
      for (std::int64_t b = 0; b < n; ++b) {
        const __m256i v = load(x[b0 + b].q);
        __m256i sums[8];
        for (int r = 0; r < 8; ++r) {
          if (b % kLineBlocks == 0) prefetch_row(w.p[r] + (b0 + b) * 32 / F::kValues);
          sums[r] = P::template sum<F>(P::template codes<F>(w.p[r], b0 + b), v);
        }
        __m256 m = _mm256_setzero_ps();
        if constexpr (F::kHasMinimum) m = w.minima(b0 + b);
        y = add_block<F, P>(y, sums_of_eight(sums), w.scales(b0 + b), m, column.d + b, column.offset + b,
                            column.minimum + b);
      }
      return y;
    });
  }
}

struct Panel {
  __m256i codes[kPanelBlocks * 8];  // block b, vector i: lane r = codes 4i .. 4i+3 of row r
  __m256 d[kPanelBlocks];
  __m256 m[kPanelBlocks];
};

template <class F, class P>
inline void fill(const Rows<F>& w, std::int64_t b0, std::int64_t n, std::size_t next_rows, Panel& panel) {
  constexpr std::int64_t kLineBlocks = blocks_of_a_line<typename F::Block>(F::kValues);
  for (std::int64_t b = 0; b < n; ++b) {
    __m256i rows[8];
    for (int r = 0; r < 8; ++r) {
      if (b % kLineBlocks == 0) {
        prefetch_range(reinterpret_cast<const char*>(w.p[r] + (b0 + b) * 32 / F::kValues) + next_rows, 1);
      }
      rows[r] = P::template codes<F>(w.p[r], b0 + b);
    }
    transpose8(rows, panel.codes + b * 8);
    panel.d[b] = w.scales(b0 + b);
    if constexpr (F::kHasMinimum) panel.m[b] = w.minima(b0 + b);
  }
}

template <class F, class P, int C>
inline void tile(const Panel& panel, const BlockQ8_0* const* x, const Prepared<kPanelBlocks>* columns, std::int64_t n,
                 __m256i live, bool first, float* y, std::size_t y_stride) {
  __m256 acc[C];
  for (int c = 0; c < C; ++c) {
    acc[c] = first ? _mm256_setzero_ps() : _mm256_maskload_ps(y + static_cast<std::size_t>(c) * y_stride, live);
  }
  for (std::int64_t b = 0; b < n; ++b) {
    const std::int8_t* codes[C];
    for (int c = 0; c < C; ++c) codes[c] = x[c][b].q;
    __m256i sum[C];
    P::template sums<F, C>(panel.codes + b * 8, codes, sum);
    __m256 m = _mm256_setzero_ps();
    if constexpr (F::kHasMinimum) m = panel.m[b];
    for (int c = 0; c < C; ++c) {
      acc[c] = add_block<F, P>(acc[c], sum[c], panel.d[b], m, columns[c].d + b, columns[c].offset + b,
                               columns[c].minimum + b);
    }
  }
  for (int c = 0; c < C; ++c) _mm256_maskstore_ps(y + static_cast<std::size_t>(c) * y_stride, live, acc[c]);
}

template <class F, class P>
inline void block_of_columns(const MatmulArgs& a, std::int64_t first_column, std::int64_t n_cols) {
  Panel panel;
  Prepared<kPanelBlocks> columns[kColumns];
  const BlockQ8_0* x[kColumns];
  const std::int64_t n_blocks = a.k / 32;
  for (std::int64_t b0 = 0; b0 < n_blocks; b0 += kPanelBlocks) {
    const std::int64_t n = n_blocks - b0 < kPanelBlocks ? n_blocks - b0 : kPanelBlocks;
    for (std::int64_t c = 0; c < n_cols; ++c) {
      x[c] = column_of<BlockQ8_0>(a, first_column + c) + b0;
      prepare<F, P>(x[c], n, columns[c]);
    }
    for (std::int64_t row = 0; row < a.n_rows; row += 8) {
      fill<F, P>(Rows<F>(a, row, 1), b0, n, 8 * a.w_row_bytes, panel);
      const __m256i live = first_lanes(a.n_rows - row < 8 ? a.n_rows - row : 8);
      float* y = a.y + static_cast<std::size_t>(first_column) * a.y_stride + row;
      std::int64_t c = 0;
      for (; c + 4 <= n_cols; c += 4, y += 4 * a.y_stride) {
        tile<F, P, 4>(panel, x + c, columns + c, n, live, b0 == 0, y, a.y_stride);
      }
      switch (n_cols - c) {
        case 3:
          tile<F, P, 3>(panel, x + c, columns + c, n, live, b0 == 0, y, a.y_stride);
          break;
        case 2:
          tile<F, P, 2>(panel, x + c, columns + c, n, live, b0 == 0, y, a.y_stride);
          break;
        case 1:
          tile<F, P, 1>(panel, x + c, columns + c, n, live, b0 == 0, y, a.y_stride);
          break;
        default:
          break;
      }
    }
  }
}

/// The product itself.
template <class F, class P>
inline void matmul_blocks_of_32(const MatmulArgs& a) {
  if (a.n_cols == 1) return one_column<F, P>(a);
  for (std::int64_t c = 0; c < a.n_cols; c += kColumns) {
    block_of_columns<F, P>(a, c, a.n_cols - c < kColumns ? a.n_cols - c : kColumns);
  }
}

}  // namespace
}  // namespace tern::kernels::avx2
