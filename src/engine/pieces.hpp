// How the products of an operation are cut into pieces for threads, and which weights a thread reads first: what it may
// fetch while it waits for the operation to begin.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/compiled_plan.hpp"
#include "sys/thread_pool.hpp"

namespace tern::engine {

/// A block of one product of an operation.
struct Piece {
  std::size_t part;  // of LinearOp::parts; 0 for a head
  ops::Block block;
};

/// All products of an operation, in pieces that do not cross from one part to the next.
[[nodiscard]] std::vector<Piece> pieces_of(const LinearOp& op, std::int64_t n_cols, int n_threads);
[[nodiscard]] std::vector<Piece> pieces_of(const HeadOp& op, std::int64_t n_cols, int n_threads);

/// For each thread, the first weights that it will probably read in the products that come after ops[current], around
/// the end if need be, cut as for one column; empty where it has no piece of its own.
[[nodiscard]] std::vector<sys::ThreadPool::Ahead> weights_ahead(std::span<const Op> ops, std::size_t current,
                                                                const sys::ThreadPool& pool);

}  // namespace tern::engine
