#include "engine/work.hpp"

#include <algorithm>

namespace tern::engine {
namespace {

Products& products_of(Work& work, const ops::Matrix& matrix, std::int64_t n_cols) {
  const ops::Arithmetic arithmetic = matrix.arithmetic(n_cols);
  const auto found = std::ranges::find_if(work.products, [&](const Products& products) {
    return products.peak == arithmetic.peak && products.per_operation == arithmetic.per_operation;
  });
  if (found != work.products.end()) return *found;
  work.products.push_back({.peak = arithmetic.peak, .per_operation = arithmetic.per_operation});
  return work.products.back();
}

}  // namespace

std::int64_t Work::trunk_products() const {
  std::int64_t sum = 0;
  for (const Products& p : products) sum += p.trunk;
  return sum;
}

std::int64_t Work::head_products() const {
  std::int64_t sum = 0;
  for (const Products& p : products) sum += p.head;
  return sum;
}

Work work_of(const CompiledPlan& plan, std::int64_t n_cols) {
  Work work;
  for (const Op& op : plan.ops()) {
    if (const auto* linear = std::get_if<LinearOp>(&op)) {
      for (const LinearOp::Part& part : linear->parts) {
        work.trunk_bytes += part.matrix->weight_bytes();
        products_of(work, *part.matrix, n_cols).trunk += part.matrix->n_rows() * part.matrix->k();
      }
    } else if (const auto* head = std::get_if<HeadOp>(&op)) {
      work.head_bytes += head->matrix->weight_bytes();
      products_of(work, *head->matrix, 1).head += head->matrix->n_rows() * head->matrix->k();
    } else if (const auto* attention = std::get_if<AttentionOp>(&op)) {
      work.attention += 2 * attention->step.n_heads * attention->step.head_dim;
    }
  }
  return work;
}

}  // namespace tern::engine
