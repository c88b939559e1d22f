// Weights in blocks of 256 times q8_k activations, AVX-512 with VNNI: Q6_K, Q5_K, Q4_K, Q3_K, Q2_K.
//
// The float operations of an output, and their order, are those of avx2/matmul_q8_k.cpp, so both sets give the same
// bits; only the integers I and M of a block are formed otherwise.
//
// One column or a few: eight rows in eight streams, 64 weights to a vector, as they lie. Many columns: a panel of
// sixteen rows is transposed into L1, four neighbouring k of each row to a lane; vpdpbusd adds up codes times
// activations for as many k as the low 16 bits of a lane can hold (kSteps), vpdpwssd multiplies that by the run's
// factor.
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/codes_q8_k.hpp"
#include "kernels/avx2/streams.hpp"
#include "kernels/avx512vnni/codes_q8_k.hpp"
#include "kernels/avx512vnni/functions.hpp"
#include "kernels/avx512vnni/q8_k_tile.hpp"

namespace tern::kernels::avx512vnni {
namespace {

using avx2::BlockQ8_K;

constexpr std::int64_t kColumns = 128;
constexpr int kTileVectors = 2;  // of sixteen rows

/// vpdpbusd results that may be added in the low 16 bits of a lane: kSteps * 4 * code * 128 <= 32768, and no more than
/// lie in a run of 16.
template <class F>
constexpr int kSteps = F::kLargest * 2048 <= 32768   ? 4
                       : F::kLargest * 1024 <= 32768 ? 2
                                                     : 1;
static_assert(avx2::Q6_K::kLargest * 512 <= 32768);

/// One block of sixteen rows.
struct Panel {
  __m512i codes[64];    // vector i: lane r = codes 4i .. 4i+3 of row r
  __m512i factors[16];  // run i: lane r = the factor of row r, and 16 bits of zero above
  __m512i minima[8];    // lane r = m of runs 2i and 2i + 1 of row r; negative where it is an offset of the code
  __m512 d, dmin;
};

/// Block b of sixteen rows.
template <class F>
inline void fill(const MatmulArgs& a, std::int64_t first_row, std::int64_t b, Panel& out) {
  alignas(64) __m256i codes[16][8];
  __m512i factors[16];
  alignas(32) std::uint16_t d[16];
  alignas(32) std::uint16_t dmin[16];
  for (std::int64_t r = 0; r < 16; ++r) {
    const typename F::Block& block = avx2::row_of<typename F::Block>(a, first_row + r)[b];
    avx2::prefetch_range(reinterpret_cast<const char*>(&block) + 16 * kTileVectors * a.w_row_bytes, sizeof block);
    F::codes(block, codes[r]);
    __m256i s;
    __m256i m;
    F::factors(block, s, m);
    if constexpr (!F::kHasMinimum) m = _mm256_sub_epi16(_mm256_setzero_si256(), m);
    factors[r] = _mm512_inserti64x4(_mm512_castsi256_si512(s), m, 1);
    d[r] = block.d;
    if constexpr (F::kHasMinimum) dmin[r] = F::minimum(block);
  }
  for (int i = 0; i < 4; ++i) {
    __m512i v[16];
    for (int r = 0; r < 16; ++r) v[r] = _mm512_load_si512(&codes[r][2 * i]);
    transpose16(v);
    for (int j = 0; j < 16; ++j) out.codes[16 * i + j] = v[j];
  }
  transpose16(factors);
  const __m512i low = _mm512_set1_epi32(0xffff);
  for (int i = 0; i < 8; ++i) {  // word i of a row: runs 4i, 4i + 2 (i < 4), then 4(i - 4) + 1, + 3
    const int run = i < 4 ? 4 * i : 4 * (i - 4) + 1;
    out.factors[run] = _mm512_and_si512(factors[i], low);
    out.factors[run + 2] = _mm512_srli_epi32(factors[i], 16);
    out.minima[i] = factors[8 + i];
  }
  out.d = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(d)));
  if constexpr (F::kHasMinimum) out.dmin = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(dmin)));
}

/// One block of R panels against C columns: adds to y, or begins it with the first block.
template <class F, int R, int C>
[[gnu::noinline]] void tile(const Panel* panel, const BlockQ8_K* const* x, const __mmask16* live, bool first, float* y,
                            std::size_t y_stride) {
  alignas(64) __m512i total[C][R];
  if constexpr (R == 2 && C == 4) {
    q8_k_tile<kSteps<F>, sizeof(Panel)>(reinterpret_cast<const char*>(panel->codes),
                                        reinterpret_cast<const char*>(panel->factors), x[0]->q, x[1]->q, x[2]->q,
                                        x[3]->q, total[0]);
  } else {
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < C; ++c) total[c][r] = _mm512_setzero_si512();
    }
    for (int i = 0; i < 64; i += kSteps<F>) {
      __m512i sum[R][C];
      for (int r = 0; r < R; ++r) {
        for (int c = 0; c < C; ++c) sum[r][c] = _mm512_setzero_si512();
      }
#pragma GCC unroll 4
      for (int j = i; j < i + kSteps<F>; ++j) {
        __m512i w[R];
        for (int r = 0; r < R; ++r) w[r] = panel[r].codes[j];
        for (int c = 0; c < C; ++c) {
          const __m512i v = broadcast4(x[c]->q + 4 * j);
          for (int r = 0; r < R; ++r) sum[r][c] = _mm512_dpbusd_epi32(sum[r][c], w[r], v);
        }
      }
      for (int r = 0; r < R; ++r) {
        const __m512i f = panel[r].factors[i / 4];
        for (int c = 0; c < C; ++c) total[c][r] = _mm512_dpwssd_epi32(total[c][r], sum[r][c], f);
      }
    }
  }
  __m512i minimum[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) minimum[r][c] = F::kHasMinimum ? _mm512_setzero_si512() : total[c][r];
  }
  for (int i = 0; i < 8; ++i) {
    for (int c = 0; c < C; ++c) {
      const __m512i v = broadcast4(x[c]->sums + 2 * i);
      for (int r = 0; r < R; ++r) minimum[r][c] = _mm512_dpwssd_epi32(minimum[r][c], panel[r].minima[i], v);
    }
  }
  for (int c = 0; c < C; ++c) {
    const __m512 scale = _mm512_set1_ps(x[c]->d);
    for (int r = 0; r < R; ++r) {
      float* out = y + static_cast<std::size_t>(c) * y_stride + 16 * r;
      __m512 v = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(live[r], out);
      const __m512i products = F::kHasMinimum ? total[c][r] : minimum[r][c];
      v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), _mm512_mul_ps(panel[r].d, scale), v);
      if constexpr (F::kHasMinimum) {
        v = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(minimum[r][c]), _mm512_mul_ps(panel[r].dmin, scale), v);
      }
      _mm512_mask_storeu_ps(out, live[r], v);
    }
  }
}

/// R panels against all columns of a block of columns, in tiles of eight sums.
template <class F, int R>
inline void panels(const Panel* panel, const BlockQ8_K* const* x, std::int64_t n_cols, const __mmask16* live,
                   bool first, float* y, std::size_t y_stride) {
  each_tile<R == 1 ? 8 : 4>(n_cols, [&]<int C>(std::int64_t c) {
    tile<F, R, C>(panel, x + c, live, first, y + static_cast<std::size_t>(c) * y_stride, y_stride);
  });
}

template <class F>
inline void block_of_columns(const MatmulArgs& a, std::int64_t first_column, std::int64_t n_cols) {
  Panel panel[kTileVectors];
  const BlockQ8_K* x[kColumns];
  for (std::int64_t b = 0; b < a.k / 256; ++b) {
    for (std::int64_t c = 0; c < n_cols; ++c) {
      x[c] = avx2::column_of<BlockQ8_K>(a, first_column + c) + b;
    }
    for (std::int64_t row = 0; row < a.n_rows; row += 16 * kTileVectors) {
      float* y = a.y + static_cast<std::size_t>(first_column) * a.y_stride + row;
      const __mmask16 live[kTileVectors] = {first_lanes(a.n_rows - row), first_lanes(a.n_rows - row - 16)};
      fill<F>(a, row, b, panel[0]);
      if (a.n_rows - row > 16) {
        fill<F>(a, row + 16, b, panel[1]);
        panels<F, 2>(panel, x, n_cols, live, b == 0, y, a.y_stride);
      } else {
        panels<F, 1>(panel, x, n_cols, live, b == 0, y, a.y_stride);
      }
    }
  }
}

/// Where the factors of each vector of codes stand in what F::factors gives.
template <class W>
struct Spread {
  __m512i words[4];

  Spread() {
    for (int i = 0; i < 4; ++i) {
      alignas(64) std::int16_t at[32];
      for (int j = 0; j < 32; ++j) {
        const int run = 2 * W::kPieces[2 * i + j / 16] + j / 8 % 2;
        at[j] = static_cast<std::int16_t>(run % 2 * 8 + run / 2);  // even runs in the low half, odd ones in the high
      }
      words[i] = _mm512_load_si512(at);
    }
  }
};

/// A column's codes of a block in the order of W::codes, and its sums.
template <class W>
struct ColumnBlock {
  __m512i codes[4];
  __m256i sums;

  inline void load(const BlockQ8_K& x) {
    for (int i = 0; i < 4; ++i) {
      codes[i] = load_halves(x.q + 32 * W::kPieces[2 * i], x.q + 32 * W::kPieces[2 * i + 1]);
    }
    sums = avx2::load(x.sums);
  }
};

/// One row's block against those of n_cols columns: products[8 c] is a vector whose lanes sum to I, or to I - M where
/// the format has no minimum of its own. m: what belongs to the columns' sums.
template <class W>
inline void row_block(const typename W::F::Block& w, const ColumnBlock<W>* x, std::int64_t n_cols,
                      const Spread<W>& spread, __m512i* products, __m256i& m) {
  __m512i q[4];
  W::codes(w, q);
  __m256i s;
  W::F::factors(w, s, m);
  __m512i f[4];
  for (int i = 0; i < 4; ++i) f[i] = _mm512_permutexvar_epi16(spread.words[i], _mm512_castsi256_si512(s));
  for (std::int64_t c = 0; c < n_cols; ++c) {
    __m512i product = _mm512_setzero_si512();
    if constexpr (!W::F::kHasMinimum) {
      product = _mm512_sub_epi32(product, _mm512_zextsi256_si512(_mm256_madd_epi16(m, x[c].sums)));
    }
    for (int i = 0; i < 4; ++i) {  // two products of at most 63 * 128 each in 16 bits
      product = _mm512_dpwssd_epi32(product, _mm512_maddubs_epi16(q[i], x[c].codes[i]), f[i]);
    }
    products[8 * c] = product;
  }
}

/// d of a block of each of eight rows, and dmin behind it if there is one: in the low and high 16 bits of a lane.
template <class F>
inline __m256i heads(const avx2::EightRows<typename F::Block>& w, std::int64_t b) {
  __m256i all = _mm256_setzero_si256();
  for (int r = 0; r < 8; ++r) {
    // Without dmin d ends the block: two bytes before it.
    const char* p = reinterpret_cast<const char*>(&w.p[r][b].d) - (F::kHasMinimum ? 0 : 2);
    all = _mm256_mask_broadcastd_epi32(all, static_cast<__mmask8>(1 << r), _mm_loadu_si32(p));
  }
  return F::kHasMinimum ? all : _mm256_srli_epi32(all, 16);
}

/// y and the sums of a block of eight rows. products: [8]; m: [8]; head: as heads() gives it.
template <class F>
inline __m256 add_block(__m256 y, const __m512i* products, const __m256i* m, __m256i head, const BlockQ8_K& x) {
  const __m256 scale = _mm256_set1_ps(x.d);
  y = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums_of_sixteen(products)), _mm256_mul_ps(low_halves(head), scale), y);
  if constexpr (F::kHasMinimum) {
    __m512i pairs[4];
    for (int r = 0; r < 4; ++r) {
      const __m512i two = _mm512_inserti64x4(_mm512_castsi256_si512(m[r]), m[r + 4], 1);
      pairs[r] = _mm512_madd_epi16(two, load_twice(x.sums));
    }
    const __m256 dmin = low_halves(_mm256_srli_epi32(head, 16));
    y = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(sums_of_four_pairs(pairs)), _mm256_mul_ps(dmin, scale), y);
  }
  return y;
}

template <class W>
inline void one_column(const MatmulArgs& a) {
  using F = typename W::F;
  using Block = typename F::Block;
  const std::int64_t n_blocks = a.k / 256;
  const BlockQ8_K* x = static_cast<const BlockQ8_K*>(a.x);
  const Spread<W> spread;
  avx2::each_eight_rows<Block>(a, true, [&](const avx2::EightRows<Block>& w, __m256 y) {
    for (std::int64_t b = 0; b < n_blocks; ++b) {
      ColumnBlock<W> column;
      column.load(x[b]);
      __m512i products[8];
      __m256i m[8];
#pragma GCC unroll 8
      for (int r = 0; r < 8; ++r) {
        avx2::prefetch_block(w.p[r] + b);
        row_block<W>(w.p[r][b], &column, 1, spread, &products[r], m[r]);
      }
      y = add_block<F>(y, products, m, heads<F>(w, b), x[b]);
    }
    return y;
  });
}

/// As one_column; a row's block is unpacked once for all columns.
template <class W>
inline void few_columns(const MatmulArgs& a) {
  using F = typename W::F;
  using Block = typename F::Block;
  const std::int64_t n_blocks = a.k / 256;
  const Spread<W> spread;
  avx2::each_eight_rows_by_few<Block>(a, [&](const avx2::EightRows<Block>& w, __m256* y) {
    for (std::int64_t b = 0; b < n_blocks; ++b) {
      ColumnBlock<W> columns[avx2::kMostOfFew];
      for (std::int64_t c = 0; c < a.n_cols; ++c) columns[c].load(avx2::column_of<BlockQ8_K>(a, c)[b]);
      __m512i products[avx2::kMostOfFew * 8];
      __m256i m[8];
      for (int r = 0; r < 8; ++r) {
        avx2::prefetch_block(w.p[r] + b);
        row_block<W>(w.p[r][b], columns, a.n_cols, spread, products + r, m[r]);
      }
      const __m256i head = heads<F>(w, b);
      for (std::int64_t c = 0; c < a.n_cols; ++c) {
        y[c] = add_block<F>(y[c], products + 8 * c, m, head, avx2::column_of<BlockQ8_K>(a, c)[b]);
      }
    }
  });
}

template <class W>
inline void matmul(const MatmulArgs& a) {
  using F = typename W::F;
  if (a.n_cols == 1) return one_column<W>(a);
  if (a.n_cols <= avx2::kMostOfFew) return few_columns<W>(a);
  for (std::int64_t c = 0; c < a.n_cols; c += kColumns) {
    block_of_columns<F>(a, c, a.n_cols - c < kColumns ? a.n_cols - c : kColumns);
  }
}

}  // namespace

void matmul_q6_k(const MatmulArgs& args) {
  matmul<WideQ6_K>(args);
}
void matmul_q5_k(const MatmulArgs& args) {
  matmul<WideQ5_K>(args);
}
void matmul_q4_k(const MatmulArgs& args) {
  matmul<WideQ4_K>(args);
}
void matmul_q3_k(const MatmulArgs& args) {
  matmul<WideQ3_K>(args);
}
void matmul_q2_k(const MatmulArgs& args) {
  matmul<WideQ2_K>(args);
}

}  // namespace tern::kernels::avx512vnni

#endif
