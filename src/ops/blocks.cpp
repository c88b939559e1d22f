#include "ops/blocks.hpp"

#include <algorithm>

namespace tern::ops {
namespace {

void cut_rows(std::vector<Block>& blocks, std::int64_t n_rows, std::int64_t rows, std::int64_t first_column,
              std::int64_t last_column) {
  for (std::int64_t r = 0; r < n_rows; r += rows) {
    blocks.push_back({r, std::min(r + rows, n_rows), first_column, last_column});
  }
}

/// Rows of a block of columns that are done at once: what these cost before the first row is shared by many.
std::int64_t rows_of_runs(std::int64_t n_rows, std::int64_t n_runs, int n_threads) {
  constexpr std::int64_t kFewRows = 1024;
  const auto pieces = [&](std::int64_t wanted) { return (wanted + n_runs - 1) / n_runs; };
  const std::int64_t some = std::min(pieces(2 * std::int64_t{n_threads}), n_rows / kFewRows);
  const std::int64_t n = std::max({std::int64_t{1}, pieces(n_threads), some});
  return std::min((n_rows + n - 1) / n, Matrix::kMostRowsOfRuns);
}

}  // namespace

std::int64_t rows_per_chunk(std::int64_t n_rows, std::int64_t n_cols, std::int64_t k, int n_threads) {
  constexpr std::int64_t kLeastProducts = std::int64_t{1} << 16;
  // One column is bound by memory, which is slower where a piece begins: of what 13824 rows of 2560 reach, 2560 rows
  // reach 0.94 with four pieces a thread and 0.88 to 0.90 with eight (ternary, AVX2, two threads, tern bench
  // --operations; Xeon, 2026-11).
  const std::int64_t n_pieces = n_cols == 1 ? 4 : 8;  // a thread
  const std::int64_t share = n_rows / (n_threads * n_pieces);
  const std::int64_t least = std::max<std::int64_t>(n_cols == 1 ? 64 : 16, kLeastProducts / (k * n_cols));
  return (std::max(least, share) + 31) / 32 * 32;  // whole panels of binary weights
}

std::vector<Block> blocks_of(const Matrix& matrix, std::int64_t n_cols, std::int64_t chunk, int n_threads) {
  std::vector<Block> blocks;
  if (matrix.n_rows() == 0) return blocks;
  const std::int64_t unit = matrix.rows_at_once();
  constexpr std::int64_t kRun = Matrix::kColumnsOfRun;
  const std::int64_t in_runs = matrix.columns_in_runs(n_cols);
  if (in_runs > 0) {
    // Runs of the same rows follow one another, so that a thread reads weights that it has read before.
    const std::int64_t whole = rows_of_runs(matrix.n_rows(), (in_runs + kRun - 1) / kRun, n_threads);
    const std::int64_t n_pieces = (matrix.n_rows() + whole - 1) / whole;
    const std::int64_t rows = ((matrix.n_rows() + n_pieces - 1) / n_pieces + unit - 1) / unit * unit;
    for (std::int64_t r = 0; r < matrix.n_rows(); r += rows) {
      for (std::int64_t c = 0; c < in_runs; c += kRun) {
        blocks.push_back({r, std::min(r + rows, matrix.n_rows()), c, std::min(c + kRun, in_runs)});
      }
    }
  }
  if (in_runs < n_cols) {
    cut_rows(blocks, matrix.n_rows(), (chunk + unit - 1) / unit * unit, in_runs, n_cols);
  }
  return blocks;
}

}  // namespace tern::ops
