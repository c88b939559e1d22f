// What a step of the engine costs by count: bytes of weights that are read and multiply-adds that are done, for a
// compiled plan. The measure that speeds are held against (tern bench). Attention is counted apart, since it grows with
// the context.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/compiled_plan.hpp"

namespace tern::engine {

/// Multiply-adds of a token that one kind of instruction does: ops::Matrix::arithmetic().
struct Products {
  std::string_view peak;
  int per_operation = 1;
  std::int64_t trunk = 0;  // in the blocks: for every token
  std::int64_t head = 0;   // only for a token whose logits are wanted
};

struct Work {
  std::uint64_t trunk_bytes = 0;  // matrices of the blocks, as they lie in memory
  std::uint64_t head_bytes = 0;
  std::vector<Products> products;
  /// Multiply-adds of attention for a token and a position that it sees: scores and values, all layers and heads.
  std::int64_t attention = 0;

  [[nodiscard]] std::int64_t trunk_products() const;
  [[nodiscard]] std::int64_t head_products() const;
};

/// n_cols: tokens in a step, of which the head has one.
[[nodiscard]] Work work_of(const CompiledPlan& plan, std::int64_t n_cols = 1);

}  // namespace tern::engine
