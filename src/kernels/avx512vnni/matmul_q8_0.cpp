// Weights in blocks of 32 times q8_0 activations, AVX-512 with VNNI: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1.
//
// The float operations of an output, and their order, are those of avx2/q8_0_panels.hpp, so both sets give the same
// bits; only a block's integer sum I is formed otherwise. vpdpbusd takes unsigned codes and adds four products to 32
// bits: nothing is widened. Q8_0's signed codes are made unsigned by adding 128. What was added to codes is taken out
// beforehand: sums begin at -offset * (sum of the activations).
//
// One column: eight rows in eight streams, two blocks of a row to a vector. Many columns: panels of sixteen rows in L1,
// four neighbouring k of each row to a lane.
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/codes_q8_0.hpp"
#include "kernels/avx2/streams.hpp"
#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::avx512vnni {
namespace {

using avx2::BlockQ8_0;
using avx2::EightRows;

constexpr std::int64_t kPanelBlocks = 8;
constexpr std::int64_t kColumns = 128;
constexpr std::int64_t kVectorBlocks = 512;  // blocks of one column prepared at a time
constexpr int kTileVectors = 2;              // of sixteen rows

/// What is added to codes: 128 makes signed ones unsigned.
template <class F>
constexpr int kOffset = F::kSigned ? 128 : F::kOffset;

inline __m512i unsigned_codes(__m512i q, bool is_signed) {
  return is_signed ? _mm512_xor_si512(q, _mm512_set1_epi8(static_cast<char>(0x80))) : q;
}

/// Codes of blocks b0 and b1 of a row, 32 bytes each, unsigned.
template <class F>
inline __m512i two_blocks(const typename F::Block* row, std::int64_t b0, std::int64_t b1) {
  const __m512i q = _mm512_inserti64x4(_mm512_castsi256_si512(F::codes(row, b0)), F::codes(row, b1), 1);
  return unsigned_codes(q, F::kSigned);
}
/// 16 bytes of nibbles from each of two places: low nibbles, then high ones, 32 bytes a place.
inline __m512i two_nibbles(const std::uint8_t* p0, const std::uint8_t* p1) {
  const __m512i q = _mm512_inserti64x4(
      _mm512_castsi256_si512(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p0)))),
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p1))), 1);
  const __m512i shifts = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
  return _mm512_and_si512(_mm512_srlv_epi64(q, shifts), _mm512_set1_epi8(15));
}
/// The fifth bits of 32 codes from each of two places.
inline __m512i with_high_bits(__m512i q, const std::uint8_t* p0, const std::uint8_t* p1) {
  std::uint32_t low;
  std::uint32_t high;
  __builtin_memcpy(&low, p0, 4);
  __builtin_memcpy(&high, p1, 4);
  const auto mask = static_cast<__mmask64>(std::uint64_t{high} << 32 | low);
  return _mm512_mask_add_epi8(q, mask, q, _mm512_set1_epi8(16));
}
template <>
inline __m512i two_blocks<avx2::Q4_0>(const avx2::BlockQ4_0* row, std::int64_t b0, std::int64_t b1) {
  return two_nibbles(row[b0].q, row[b1].q);
}
template <>
inline __m512i two_blocks<avx2::Q4_1>(const avx2::BlockQ4_1* row, std::int64_t b0, std::int64_t b1) {
  return two_nibbles(row[b0].q, row[b1].q);
}
template <>
inline __m512i two_blocks<avx2::Q5_0>(const avx2::BlockQ5_0* row, std::int64_t b0, std::int64_t b1) {
  return with_high_bits(two_nibbles(row[b0].q, row[b1].q), row[b0].high, row[b1].high);
}
template <>
inline __m512i two_blocks<avx2::Q5_1>(const avx2::BlockQ5_1* row, std::int64_t b0, std::int64_t b1) {
  return with_high_bits(two_nibbles(row[b0].q, row[b1].q), row[b0].high, row[b1].high);
}

/// What one column contributes to each block besides its codes.
template <std::int64_t N>
struct Prepared {
  static_assert(N % 8 == 0);
  alignas(32) float d[N];
  alignas(32) std::int32_t start[N];  // -offset * sum of the codes
  alignas(32) float minimum[N];       // d * sum of the codes
};

/// Eight blocks at a time; the last one again and again where fewer are left.
template <class F, std::int64_t N>
inline void prepare(const BlockQ8_0* x, std::int64_t n, Prepared<N>& out) {
  for (std::int64_t b = 0; b < n; b += 8) {
    const BlockQ8_0* p[8];
    for (std::int64_t i = 0; i < 8; ++i) p[i] = x + (b + i < n ? b + i : n - 1);
    const __m256 d = avx2::halves_to_floats(p[0]->d, p[1]->d, p[2]->d, p[3]->d, p[4]->d, p[5]->d, p[6]->d, p[7]->d);
    _mm256_store_ps(out.d + b, d);
    __m256i fours[8];
    for (int i = 0; i < 8; ++i) {
      fours[i] = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), avx2::load(p[i]->q));
    }
    const __m256i sums = avx2::sums_of_eight(fours);
    avx2::store(out.start + b, _mm256_mullo_epi32(sums, _mm256_set1_epi32(-kOffset<F>)));
    _mm256_store_ps(out.minimum + b, _mm256_mul_ps(d, _mm256_cvtepi32_ps(sums)));
  }
}

/// The first four bytes of block b0 of eight rows, then of block b1: scales in the low 16 bits of a lane, minima in the
/// high ones where a format has them.
template <class Block>
inline __m512i heads(const EightRows<Block>& w, std::int64_t b0, std::int64_t b1) {
  __m512i all = _mm512_setzero_si512();
  for (int r = 0; r < 8; ++r) {
    all = _mm512_mask_broadcastd_epi32(all, static_cast<__mmask16>(1 << r), _mm_loadu_si32(w.p[r] + b0));
    all = _mm512_mask_broadcastd_epi32(all, static_cast<__mmask16>(256 << r), _mm_loadu_si32(w.p[r] + b1));
  }
  return all;
}
/// x0 in eight lanes, then x1.
inline __m512 eight_each(float x0, float x1) {
  return _mm512_mask_blend_ps(0xff00, _mm512_set1_ps(x0), _mm512_set1_ps(x1));
}
inline __m256 high_half(__m512 v) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
}

template <class F>
inline void one_column(const MatmulArgs& a) {
  using Block = typename F::Block;
  constexpr std::int64_t kLineBlocks = avx2::blocks_of_a_line<Block>(F::kValues);
  Prepared<kVectorBlocks> column;
  const std::int64_t n_blocks = a.k / 32;
  for (std::int64_t b0 = 0; b0 < n_blocks; b0 += kVectorBlocks) {
    const std::int64_t n = n_blocks - b0 < kVectorBlocks ? n_blocks - b0 : kVectorBlocks;
    const BlockQ8_0* x = static_cast<const BlockQ8_0*>(a.x) + b0;
    prepare<F>(x, n, column);
    avx2::each_eight_rows<Block>(a, b0 == 0, [&](const EightRows<Block>& w, __m256 y) {
      for (std::int64_t b = 0; b < n; b += 2) {
        const std::int64_t second = b + 1 < n ? b + 1 : b;  // an odd last block counts once below
        const __m512i v = load_halves(x[b].q, x[second].q);
        __m512i start = _mm512_setzero_si512();
        if constexpr (kOffset<F> != 0) {
          const __m512i offset = _mm512_set1_epi8(static_cast<char>(kOffset<F>));
          start = _mm512_sub_epi32(start, _mm512_dpbusd_epi32(start, offset, v));
        }
        __m512i sums[8];
        for (int r = 0; r < 8; ++r) {
          if (kLineBlocks <= 2 || b % kLineBlocks == 0) avx2::prefetch_row(w.p[r] + b0 + b);
          if (kLineBlocks == 1) avx2::prefetch_row(w.p[r] + b0 + b + 1);
          sums[r] = _mm512_dpbusd_epi32(start, two_blocks<F>(w.p[r], b0 + b, b0 + second), v);
        }
        const __m512 both = _mm512_cvtepi32_ps(sums_of_halves(sums));
        const __m512i head = heads(w, b0 + b, b0 + second);
        const __m512 d = _mm512_mul_ps(low_halves(head), eight_each(column.d[b], column.d[second]));
        __m512 m = _mm512_setzero_ps();
        if constexpr (F::kHasMinimum) m = low_halves(_mm512_srli_epi32(head, 16));
        y = _mm256_fmadd_ps(_mm512_castps512_ps256(both), _mm512_castps512_ps256(d), y);
        if constexpr (F::kHasMinimum)
          y = _mm256_fmadd_ps(_mm512_castps512_ps256(m), _mm256_set1_ps(column.minimum[b]), y);
        if (second == b) break;
        y = _mm256_fmadd_ps(high_half(both), high_half(d), y);
        if constexpr (F::kHasMinimum) y = _mm256_fmadd_ps(high_half(m), _mm256_set1_ps(column.minimum[second]), y);
      }
      return y;
    });
  }
}

struct Panel {
  __m512i codes[kPanelBlocks * 8];  // block b, vector i: lane r = codes 4i .. 4i+3 of row r
  __m512 d[kPanelBlocks];
  __m512 m[kPanelBlocks];
};

/// n blocks of sixteen rows.
template <class F>
inline void fill(const MatmulArgs& a, std::int64_t first_row, std::int64_t b0, std::int64_t n, Panel& panel) {
  using Block = typename F::Block;
  alignas(64) __m512i codes[kPanelBlocks / 2][16];
  alignas(32) std::uint16_t d[kPanelBlocks][16];
  alignas(32) std::uint16_t m[kPanelBlocks][16];
  for (std::int64_t r = 0; r < 16; ++r) {
    const Block* w = avx2::row_of<Block>(a, first_row + r);
    avx2::prefetch_range(reinterpret_cast<const char*>(w + b0) + 16 * kTileVectors * a.w_row_bytes,
                         kPanelBlocks * sizeof(Block));
    for (std::int64_t b = 0; b < n; b += 2) codes[b / 2][r] = two_blocks<F>(w, b0 + b, b0 + (b + 1 < n ? b + 1 : b));
    for (std::int64_t b = 0; b < n; ++b) {
      d[b][r] = F::scale(w, b0 + b);
      if constexpr (F::kHasMinimum) m[b][r] = F::minimum(w, b0 + b);
    }
  }
  for (std::int64_t b = 0; b < n; b += 2) {
    transpose16(codes[b / 2]);
    for (int i = 0; i < 16; ++i) panel.codes[b * 8 + i] = codes[b / 2][i];
  }
  for (std::int64_t b = 0; b < n; ++b) {
    panel.d[b] = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(d[b])));
    if constexpr (F::kHasMinimum) {
      panel.m[b] = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(m[b])));
    }
  }
}

/// n blocks of R panels against C columns: adds to y, or begins it with the first blocks.
template <class F, int R, int C>
[[gnu::noinline]] void tile(const Panel* panel, const BlockQ8_0* const* x, const Prepared<kPanelBlocks>* columns,
                            std::int64_t n, const __mmask16* live, bool first, float* y, std::size_t y_stride) {
  __m512 acc[R][C];
  for (int c = 0; c < C; ++c) {
    for (int r = 0; r < R; ++r) {
      const float* out = y + static_cast<std::size_t>(c) * y_stride + 16 * r;
      acc[r][c] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(live[r], out);
    }
  }
  for (std::int64_t b = 0; b < n; ++b) {
    __m512i sum[R][C];
    for (int c = 0; c < C; ++c) {
      for (int r = 0; r < R; ++r) {
        sum[r][c] = kOffset<F> != 0 ? _mm512_set1_epi32(columns[c].start[b]) : _mm512_setzero_si512();
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      __m512i w[R];
      for (int r = 0; r < R; ++r) w[r] = panel[r].codes[b * 8 + i];
      for (int c = 0; c < C; ++c) {
        const __m512i v = broadcast4(x[c][b].q + 4 * i);
        for (int r = 0; r < R; ++r) sum[r][c] = _mm512_dpbusd_epi32(sum[r][c], w[r], v);
      }
    }
    for (int c = 0; c < C; ++c) {
      const __m512 d = _mm512_set1_ps(columns[c].d[b]);
      for (int r = 0; r < R; ++r) {
        acc[r][c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][c]), _mm512_mul_ps(panel[r].d[b], d), acc[r][c]);
        if constexpr (F::kHasMinimum) {
          acc[r][c] = _mm512_fmadd_ps(panel[r].m[b], _mm512_set1_ps(columns[c].minimum[b]), acc[r][c]);
        }
      }
    }
  }
  for (int c = 0; c < C; ++c) {
    for (int r = 0; r < R; ++r) {
      _mm512_mask_storeu_ps(y + static_cast<std::size_t>(c) * y_stride + 16 * r, live[r], acc[r][c]);
    }
  }
}

/// R panels against all columns of a block of columns, in tiles of eight sums.
template <class F, int R>
inline void panels(const Panel* panel, const BlockQ8_0* const* x, const Prepared<kPanelBlocks>* columns, std::int64_t n,
                   std::int64_t n_cols, const __mmask16* live, bool first, float* y, std::size_t y_stride) {
  each_tile<R == 1 ? 8 : 4>(n_cols, [&]<int C>(std::int64_t c) {
    tile<F, R, C>(panel, x + c, columns + c, n, live, first, y + static_cast<std::size_t>(c) * y_stride, y_stride);
  });
}

template <class F>
inline void block_of_columns(const MatmulArgs& a, std::int64_t first_column, std::int64_t n_cols) {
  Panel panel[kTileVectors];
  Prepared<kPanelBlocks> columns[kColumns];
  const BlockQ8_0* x[kColumns];
  const std::int64_t n_blocks = a.k / 32;
  for (std::int64_t b0 = 0; b0 < n_blocks; b0 += kPanelBlocks) {
    const std::int64_t n = n_blocks - b0 < kPanelBlocks ? n_blocks - b0 : kPanelBlocks;
    for (std::int64_t c = 0; c < n_cols; ++c) {
      x[c] = avx2::column_of<BlockQ8_0>(a, first_column + c) + b0;
      prepare<F>(x[c], n, columns[c]);
    }
    for (std::int64_t row = 0; row < a.n_rows; row += 16 * kTileVectors) {
      float* y = a.y + static_cast<std::size_t>(first_column) * a.y_stride + row;
      const __mmask16 live[kTileVectors] = {first_lanes(a.n_rows - row), first_lanes(a.n_rows - row - 16)};
      fill<F>(a, row, b0, n, panel[0]);
      if (a.n_rows - row > 16) {
        fill<F>(a, row + 16, b0, n, panel[1]);
        panels<F, 2>(panel, x, columns, n, n_cols, live, b0 == 0, y, a.y_stride);
      } else {
        panels<F, 1>(panel, x, columns, n, n_cols, live, b0 == 0, y, a.y_stride);
      }
    }
  }
}

template <class F>
inline void matmul(const MatmulArgs& a) {
  if (a.n_cols == 1) return one_column<F>(a);
  for (std::int64_t c = 0; c < a.n_cols; c += kColumns) {
    block_of_columns<F>(a, c, a.n_cols - c < kColumns ? a.n_cols - c : kColumns);
  }
}

}  // namespace

void matmul_q8_0(const MatmulArgs& args) {
  matmul<avx2::Q8_0>(args);
}
void matmul_q4_0(const MatmulArgs& args) {
  matmul<avx2::Q4_0>(args);
}
void matmul_q4_1(const MatmulArgs& args) {
  matmul<avx2::Q4_1>(args);
}
void matmul_q5_0(const MatmulArgs& args) {
  matmul<avx2::Q5_0>(args);
}
void matmul_q5_1(const MatmulArgs& args) {
  matmul<avx2::Q5_1>(args);
}

}  // namespace tern::kernels::avx512vnni

#endif
