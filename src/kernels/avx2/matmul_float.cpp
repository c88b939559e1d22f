// F32, F16 and BF16 weights times float activations, AVX2.
//
// Every output has one order of additions: eight lanes, lane l sums the products of k = l, l + 8, l + 16, ... by fused
// multiply-add from the first k to the last (values beyond the row count as zeros), then the tree of sum_lanes. One
// column takes eight rows at a time straight from the weights, in eight streams; several share a block of weights
// converted to float in L1, in tiles of three rows and four columns whose running lanes rest in memory between blocks.
// Neither changes the order.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"
#include "kernels/avx2/streams.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kBlockRows = 12;
constexpr std::int64_t kBlockK = 512;       // 12 x 512 floats = 24 KB
constexpr std::int64_t kBlockColumns = 64;  // running lanes: 12 x 64 x 32 bytes = 24 KB

struct F32 {
  using Value = float;
  static inline __m256 eight(const float* p) { return _mm256_loadu_ps(p); }
  static inline __m256 first(const float* p, std::int64_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
};
struct F16 {
  using Value = std::uint16_t;
  static inline __m256 eight(const std::uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static inline __m256 first(const std::uint16_t* p, std::int64_t n) {
    alignas(16) std::uint16_t copy[8] = {};
    for (std::int64_t i = 0; i < n; ++i) copy[i] = p[i];
    return eight(copy);
  }
};
struct BF16 {
  using Value = std::uint16_t;
  static inline __m256 eight(const std::uint16_t* p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static inline __m256 first(const std::uint16_t* p, std::int64_t n) {
    alignas(16) std::uint16_t copy[8] = {};
    for (std::int64_t i = 0; i < n; ++i) copy[i] = p[i];
    return eight(copy);
  }
};

/// R rows, `stride` rows apart, against one column.
template <class W, int R>
inline void rows_by_one(const MatmulArgs& a, std::int64_t row, std::int64_t stride) {
  const typename W::Value* w[R];
  for (int r = 0; r < R; ++r) w[r] = row_of<typename W::Value>(a, row + r * stride);
  const float* x = column_of<float>(a, 0);
  __m256 acc[R];
  for (int r = 0; r < R; ++r) acc[r] = _mm256_setzero_ps();
  constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(typename W::Value));
  std::int64_t i = 0;
  for (; i + kLine <= a.k; i += kLine) {
    for (int r = 0; r < R; ++r) prefetch_row(w[r] + i);
    for (std::int64_t j = i; j < i + kLine; j += 8) {
      const __m256 v = _mm256_loadu_ps(x + j);
      for (int r = 0; r < R; ++r) acc[r] = _mm256_fmadd_ps(W::eight(w[r] + j), v, acc[r]);
    }
  }
  for (; i + 8 <= a.k; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    for (int r = 0; r < R; ++r) acc[r] = _mm256_fmadd_ps(W::eight(w[r] + i), v, acc[r]);
  }
  if (i < a.k) {
    const __m256 v = F32::first(x + i, a.k - i);
    for (int r = 0; r < R; ++r) acc[r] = _mm256_fmadd_ps(W::first(w[r] + i, a.k - i), v, acc[r]);
  }
  for (int r = 0; r < R; ++r) a.y[row + r * stride] = sum_lanes(acc[r]);
}

/// R rows of the converted block against C columns; `lanes` holds the running lanes [row][kBlockColumns].
template <int R, int C>
inline void tile(const float* w, const float* const* x, std::int64_t n, float* lanes) {
  __m256 acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) acc[r][c] = _mm256_load_ps(lanes + (r * kBlockColumns + c) * 8);
  }
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 v[R];
    for (int r = 0; r < R; ++r) v[r] = _mm256_load_ps(w + r * kBlockK + i);
    for (int c = 0; c < C; ++c) {
      const __m256 u = _mm256_loadu_ps(x[c] + i);
      for (int r = 0; r < R; ++r) acc[r][c] = _mm256_fmadd_ps(v[r], u, acc[r][c]);
    }
  }
  if (i < n) {  // only at the end of the row; the block is zero-filled there
    for (int c = 0; c < C; ++c) {
      const __m256 u = F32::first(x[c] + i, n - i);
      for (int r = 0; r < R; ++r) acc[r][c] = _mm256_fmadd_ps(_mm256_load_ps(w + r * kBlockK + i), u, acc[r][c]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) _mm256_store_ps(lanes + (r * kBlockColumns + c) * 8, acc[r][c]);
  }
}

template <int R>
inline void columns(const float* w, const float* const* x, std::int64_t n_cols, std::int64_t n, float* lanes) {
  std::int64_t c = 0;
  for (; c + 4 <= n_cols; c += 4) tile<R, 4>(w, x + c, n, lanes + c * 8);
  switch (n_cols - c) {
    case 3:
      tile<R, 3>(w, x + c, n, lanes + c * 8);
      break;
    case 2:
      tile<R, 2>(w, x + c, n, lanes + c * 8);
      break;
    case 1:
      tile<R, 1>(w, x + c, n, lanes + c * 8);
      break;
    default:
      break;
  }
}

/// Converts n values of one row from k0 on to floats, zero-filled to a multiple of eight.
template <class W>
inline void convert(const typename W::Value* row, std::int64_t n, float* out) {
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_store_ps(out + i, W::eight(row + i));
  if (i < n) _mm256_store_ps(out + i, W::first(row + i, n - i));
}

template <class W>
inline void block_of_columns(const MatmulArgs& a, std::int64_t first_column, std::int64_t n_cols) {
  alignas(64) float w[kBlockRows * kBlockK];
  alignas(64) float lanes[kBlockRows * kBlockColumns * 8];
  const float* x[kBlockColumns];
  for (std::int64_t row = 0; row < a.n_rows; row += kBlockRows) {
    const std::int64_t n_rows = a.n_rows - row < kBlockRows ? a.n_rows - row : kBlockRows;
    for (std::int64_t r = 0; r < n_rows; ++r) {
      for (std::int64_t c = 0; c < n_cols; ++c)
        _mm256_store_ps(lanes + (r * kBlockColumns + c) * 8, _mm256_setzero_ps());
    }
    for (std::int64_t k0 = 0; k0 < a.k; k0 += kBlockK) {
      const std::int64_t n = a.k - k0 < kBlockK ? a.k - k0 : kBlockK;
      for (std::int64_t r = 0; r < n_rows; ++r)
        convert<W>(row_of<typename W::Value>(a, row + r) + k0, n, w + r * kBlockK);
      for (std::int64_t c = 0; c < n_cols; ++c) x[c] = column_of<float>(a, first_column + c) + k0;
      std::int64_t r = 0;
      for (; r + 3 <= n_rows; r += 3) columns<3>(w + r * kBlockK, x, n_cols, n, lanes + r * kBlockColumns * 8);
      for (; r < n_rows; ++r) columns<1>(w + r * kBlockK, x, n_cols, n, lanes + r * kBlockColumns * 8);
    }
    for (std::int64_t c = 0; c < n_cols; ++c) {
      float* y = a.y + static_cast<std::size_t>(first_column + c) * a.y_stride + row;
      for (std::int64_t r = 0; r < n_rows; ++r) y[r] = sum_lanes(_mm256_load_ps(lanes + (r * kBlockColumns + c) * 8));
    }
  }
}

template <class W>
inline void matmul(const MatmulArgs& a) {
  if (a.n_cols == 1) {
    const std::int64_t share = a.n_rows / 8;
    for (std::int64_t r = 0; r < share; ++r) rows_by_one<W, 8>(a, r, share);
    for (std::int64_t r = share * 8; r < a.n_rows; ++r) rows_by_one<W, 1>(a, r, 1);
    return;
  }
  for (std::int64_t c = 0; c < a.n_cols; c += kBlockColumns) {
    block_of_columns<W>(a, c, a.n_cols - c < kBlockColumns ? a.n_cols - c : kBlockColumns);
  }
}

}  // namespace

void matmul_f32(const MatmulArgs& args) {
  matmul<F32>(args);
}
void matmul_f16(const MatmulArgs& args) {
  matmul<F16>(args);
}
void matmul_bf16(const MatmulArgs& args) {
  matmul<BF16>(args);
}

}  // namespace tern::kernels::avx2

#endif
