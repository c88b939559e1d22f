#include "engine/pieces.hpp"

#include <algorithm>

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

}  // namespace

std::vector<Piece> pieces_of(const LinearOp& op, std::int64_t n_cols, int n_threads) {
  std::int64_t n_rows = 0;
  for (const LinearOp::Part& part : op.parts) n_rows += part.matrix->n_rows();
  const std::int64_t chunk = ops::rows_per_chunk(n_rows, n_cols, op.k, n_threads);
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < op.parts.size(); ++i) {
    cut(pieces, i, *op.parts[i].matrix, n_cols, chunk, n_threads);
  }
  return pieces;
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
