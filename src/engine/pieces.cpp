#include "engine/pieces.hpp"

#include <algorithm>
#include <utility>

#include "ops/blocks.hpp"

namespace tern::engine {
namespace {

// As much as arrives while threads wait between two products, some ten microseconds, and little enough that it stays
// in a core's second cache.
constexpr std::size_t kMostAhead = std::size_t{256} << 10;

void cut(std::vector<Piece>& pieces, std::size_t part, const ops::Matrix& matrix, std::int64_t n_cols,
         std::int64_t chunk, int n_threads) {
  for (const ops::Block& block : ops::blocks_of(matrix, n_cols, chunk, n_threads)) pieces.push_back({part, block});
}

const ops::Matrix& matrix_of(const LinearOp& op, const Piece& piece) {
  return *op.parts[piece.part].matrix;
}
const ops::Matrix& matrix_of(const HeadOp& op, const Piece&) {
  return *op.matrix;
}

template <class Products>
std::vector<sys::ThreadPool::Ahead> first_weights(const Products& op, const sys::ThreadPool& pool) {
  const auto pieces = pieces_of(op, 1, pool.n_threads());
  std::vector<sys::ThreadPool::Ahead> ahead;
  for (int t = 0; t < pool.n_threads(); ++t) {
    const auto index = static_cast<std::size_t>(pool.first_chunk(std::ssize(pieces), t));
    if (index == static_cast<std::size_t>(pool.first_chunk(std::ssize(pieces), t + 1))) {  // none of its own
      ahead.emplace_back();
      continue;
    }
    const auto weights = matrix_of(op, pieces[index]).weights_from(pieces[index].block.first_row);
    ahead.push_back(weights.first(std::min(weights.size(), kMostAhead)));
  }
  return ahead;
}

/// All products in pieces of about `chunk` rows.
std::vector<Piece> cut_all(const LinearOp& op, std::int64_t n_cols, std::int64_t chunk, int n_threads) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < op.parts.size(); ++i) cut(pieces, i, *op.parts[i].matrix, n_cols, chunk, n_threads);
  return pieces;
}

/// The most rows that a thread has of its own.
std::int64_t largest_share(const std::vector<Piece>& pieces, int n_threads) {
  std::int64_t largest = 0;
  for (int t = 0; t < n_threads; ++t) {
    const auto n_pieces = std::ssize(pieces);
    std::int64_t rows = 0;
    for (auto i = sys::ThreadPool::first_chunk(n_pieces, t, n_threads);
         i < sys::ThreadPool::first_chunk(n_pieces, t + 1, n_threads); ++i) {
      const ops::Block& block = pieces[static_cast<std::size_t>(i)].block;
      rows += block.last_row - block.first_row;
    }
    largest = std::max(largest, rows);
  }
  return largest;
}

/// Pieces of at most `most` rows and no fewer than half of them, so that threads have shares as equal as can be: 2560,
/// 640 and 640 rows cut at 480 would leave one of two threads 2400 and the other 1440. Smaller pieces must be worth it,
/// by a thirtieth.
std::vector<Piece> cut_fairly(const LinearOp& op, std::int64_t most, int n_threads) {
  constexpr std::int64_t kStep = 32;   // rows_per_chunk() gives multiples of it
  constexpr std::int64_t kLeast = 64;  // as there
  std::vector<Piece> best = cut_all(op, 1, most, n_threads);
  std::int64_t least = largest_share(best, n_threads);
  const std::int64_t fair = (largest_share(best, 1) + n_threads - 1) / n_threads;
  const auto is_worth_it = [&](std::int64_t share) { return share * 31 <= least * 30; };
  const std::int64_t lowest = std::max(kLeast, most / 2);
  for (std::int64_t chunk = most - kStep; chunk >= lowest && is_worth_it(fair); chunk -= kStep) {
    std::vector<Piece> pieces = cut_all(op, 1, chunk, n_threads);
    const std::int64_t share = largest_share(pieces, n_threads);
    if (!is_worth_it(share)) continue;
    least = share;
    best = std::move(pieces);
  }
  return best;
}

}  // namespace

std::vector<Piece> pieces_of(const LinearOp& op, std::int64_t n_cols, int n_threads) {
  std::int64_t n_rows = 0;
  for (const LinearOp::Part& part : op.parts) n_rows += part.matrix->n_rows();
  const std::int64_t chunk = ops::rows_per_chunk(n_rows, n_cols, op.k, n_threads);
  // Only of one column, where a product is short and bound by memory.
  return n_cols == 1 ? cut_fairly(op, chunk, n_threads) : cut_all(op, n_cols, chunk, n_threads);
}

std::vector<Piece> pieces_of(const HeadOp& op, std::int64_t n_cols, int n_threads) {
  std::vector<Piece> pieces;
  cut(pieces, 0, *op.matrix, n_cols, ops::rows_per_chunk(op.matrix->n_rows(), n_cols, op.k, n_threads), n_threads);
  return pieces;
}

std::vector<sys::ThreadPool::Ahead> weights_ahead(std::span<const Op> ops, std::size_t current,
                                                  const sys::ThreadPool& pool) {
  for (std::size_t i = 1; i <= ops.size(); ++i) {
    const Op& op = ops[(current + i) % ops.size()];
    if (const auto* linear = std::get_if<LinearOp>(&op)) return first_weights(*linear, pool);
    if (const auto* head = std::get_if<HeadOp>(&op)) return first_weights(*head, pool);
  }
  return {};
}

}  // namespace tern::engine
