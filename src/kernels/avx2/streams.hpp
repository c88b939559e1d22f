// One column or a few, many rows: how rows are read from memory. Eight rows are taken together that lie an eighth of
// all rows apart, each calling its own bytes to the caches ahead: a core keeps more lines under way for eight streams
// of addresses than for one, and streams go on where a row ends. Which rows meet in a vector changes no output. In an
// anonymous namespace, as simd.hpp.
#pragma once

#include "kernels/avx2/simd.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

/// What a stream reads next. Of the bandwidth of a bare read loop in turns with it, about 90 % for Q6_K, where eight
/// neighbouring rows and prefetches of the next eight reached 75 to 83 %; from 256 and 768 bytes to 768 and 2048 there
/// was no difference (Xeon, one thread, rows of 2560 in 2 MiB pages, 2026-11).
inline void prefetch_row(const void* p) {
  _mm_prefetch(static_cast<const char*>(p) + 512, _MM_HINT_T0);
  _mm_prefetch(static_cast<const char*>(p) + 1280, _MM_HINT_T1);
}

/// The same of a stream of blocks: once for each line of the one that is read.
template <class Block>
inline void prefetch_block(const Block* block) {
  for (std::size_t i = 0; i < sizeof(Block); i += 64) prefetch_row(reinterpret_cast<const char*>(block) + i);
}

/// For panels: the n bytes at p, which are used soon.
inline void prefetch_range(const char* p, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 64) _mm_prefetch(p + i, _MM_HINT_T0);
}

/// The largest power of two of which so many times 32 values fit into a cache line: where one prefetch is due. `values`
/// is the length of a block.
template <class Block>
constexpr std::int64_t blocks_of_a_line(std::int64_t values) {
  std::int64_t n = 1;
  while (n < 8 && 2 * n * static_cast<std::int64_t>(sizeof(Block)) * 32 / values <= 64) n *= 2;
  return n;
}

/// A row of weights; one beyond the matrix is the last one again, which is never stored.
template <class Block>
inline const Block* row_of(const MatmulArgs& a, std::int64_t row) {
  const std::int64_t known = row < a.n_rows ? row : a.n_rows - 1;
  return reinterpret_cast<const Block*>(static_cast<const char*>(a.w) +
                                        static_cast<std::size_t>(known) * a.w_row_bytes);
}
/// A column of the input.
template <class Block>
inline const Block* column_of(const MatmulArgs& a, std::int64_t column) {
  return reinterpret_cast<const Block*>(static_cast<const char*>(a.x) +
                                        static_cast<std::size_t>(column) * a.x_col_bytes);
}

/// Eight rows of blocks, `stride` rows apart.
template <class Block>
struct EightRows {
  const Block* p[8];
  EightRows(const MatmulArgs& a, std::int64_t first, std::int64_t stride) {
    for (std::int64_t r = 0; r < 8; ++r) p[r] = row_of<Block>(a, first + r * stride);
  }
};

/// y = rows(eight rows, y) for all rows of a product with one column, a row in each lane of y, which begins with zeros
/// if `begin` and with the output otherwise.
template <class Block, class F>
inline void each_eight_rows(const MatmulArgs& a, bool begin, F rows) {
  const std::int64_t share = a.n_rows / 8;
  for (std::int64_t row = 0; row < share; ++row) {
    float y[8];
    for (int r = 0; r < 8; ++r) y[r] = begin ? 0.0F : a.y[row + r * share];
    _mm256_storeu_ps(y, rows(EightRows<Block>(a, row, share), _mm256_loadu_ps(y)));
    for (int r = 0; r < 8; ++r) a.y[row + r * share] = y[r];
  }
  if (8 * share == a.n_rows) return;
  float* y = a.y + 8 * share;
  const __m256i live = first_lanes(a.n_rows - 8 * share);
  const __m256 before = begin ? _mm256_setzero_ps() : _mm256_maskload_ps(y, live);
  _mm256_maskstore_ps(y, live, rows(EightRows<Block>(a, 8 * share, 1), before));
}

/// From one column to this many: rows are unpacked once for all of them, as they come from memory.
constexpr std::int64_t kMostOfFew = 8;

/// Calls tile.operator()<C>(c) for all of so many columns, in tiles of up to four that are of nearly the same size.
template <class F>
inline void each_few_columns(std::int64_t n_cols, F tile) {
  for (std::int64_t c = 0; c < n_cols;) {
    const std::int64_t left = n_cols - c;
    const std::int64_t n = left > 8 ? 4 : left > 4 ? (left + 1) / 2 : left;
    if (n == 4) tile.template operator()<4>(c);
    if (n == 3) tile.template operator()<3>(c);
    if (n == 2) tile.template operator()<2>(c);
    if (n == 1) tile.template operator()<1>(c);
    c += n;
  }
}

/// rows(eight rows, y) for all rows of a product with up to kMostOfFew columns: y[c], which begins with zeros, holds
/// the outputs of column c, a row in each lane.
template <class Block, class F>
inline void each_eight_rows_by_few(const MatmulArgs& a, F rows) {
  const std::int64_t share = a.n_rows / 8;
  const auto run = [&](std::int64_t row, std::int64_t stride, std::int64_t n_rows) {
    __m256 y[kMostOfFew];
    for (std::int64_t c = 0; c < a.n_cols; ++c) y[c] = _mm256_setzero_ps();
    rows(EightRows<Block>(a, row, stride), y);
    for (std::int64_t c = 0; c < a.n_cols; ++c) {
      float lanes[8];
      _mm256_storeu_ps(lanes, y[c]);
      float* out = a.y + static_cast<std::size_t>(c) * a.y_stride + row;
      for (std::int64_t r = 0; r < n_rows; ++r) out[r * stride] = lanes[r];
    }
  };
  for (std::int64_t row = 0; row < share; ++row) run(row, share, 8);
  if (8 * share < a.n_rows) run(8 * share, 1, a.n_rows - 8 * share);
}

}  // namespace
}  // namespace tern::kernels::avx2
