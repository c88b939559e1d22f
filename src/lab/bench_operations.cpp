// Implementation of bench_operations.hpp.
#include "lab/bench_operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <variant>

namespace tern::lab {
namespace {

/// What an operation multiplies: its name by shape, and its cost for n_tokens columns in all, read n_steps times.
struct Products {
  std::string name;
  BenchCost cost;
};

void add(Products& products, const ops::Matrix& matrix) {
  products.name += fmt::format("{}{}", products.name.ends_with(' ') ? "" : " + ", matrix.n_rows());
  BenchCost& cost = products.cost;
  cost.bytes += static_cast<double>(matrix.weight_bytes()) * static_cast<double>(cost.n_steps);
  const ops::Arithmetic arithmetic = matrix.arithmetic(cost.tokens_per_step());
  cost.products.push_back({.peak = std::string(arithmetic.peak),
                           .n = static_cast<double>(matrix.n_rows() * matrix.k()) * static_cast<double>(cost.n_tokens),
                           .per_operation = arithmetic.per_operation});
}

Products products_of(const engine::LinearOp& op, const BenchCost& test, std::int64_t /*n_logits*/) {
  Products products{.name = "products ", .cost = {}};
  products.cost.n_tokens = test.n_tokens;
  products.cost.n_steps = test.n_steps;
  for (const auto& part : op.parts) add(products, *part.matrix);
  products.name += fmt::format(" x {}", op.k);
  return products;
}

Products products_of(const engine::HeadOp& op, const BenchCost& test, std::int64_t n_logits) {
  Products products{.name = "head ", .cost = {}};
  products.cost.n_tokens = n_logits;
  products.cost.n_steps = std::min(test.n_steps, n_logits);
  add(products, *op.matrix);
  products.name += fmt::format(" x {}", op.k);
  return products;
}

constexpr std::string_view name_of(const engine::EmbedOp&) {
  return "embedding";
}
constexpr std::string_view name_of(const engine::NormOp&) {
  return "norm";
}
constexpr std::string_view name_of(const engine::RopeOp&) {
  return "rope";
}
constexpr std::string_view name_of(const engine::AttentionOp&) {
  return "attention";
}
constexpr std::string_view name_of(const engine::GluOp&) {
  return "activation function";
}
constexpr std::string_view name_of(const engine::AddOp&) {
  return "addition";
}
constexpr std::string_view name_of(const engine::ScaleOp&) {
  return "scaling";
}
constexpr std::string_view name_of(const engine::PoolOp&) {
  return "pooling";
}

class Table {
 public:
  OperationRow& row(std::string_view name) {
    const auto found = std::ranges::find(rows_, name, &OperationRow::name);
    if (found != rows_.end()) return *found;
    rows_.push_back({.name = std::string(name), .cost = {}, .judged = {}});
    return rows_.back();
  }
  void add(std::string_view name, double seconds) {
    OperationRow& to = row(name);
    ++to.n_operations;
    to.seconds += seconds;
  }
  void add(const Products& products, double seconds) {
    add(products.name, seconds);
    BenchCost& cost = row(products.name).cost;
    cost.n_tokens = products.cost.n_tokens;
    cost.n_steps = products.cost.n_steps;
    cost.bytes += products.cost.bytes;
    for (const BenchCost::Products& part : products.cost.products) {
      const auto same = std::ranges::find(cost.products, part.peak, &BenchCost::Products::peak);
      if (same == cost.products.end()) {
        cost.products.push_back(part);
      } else {
        same->n += part.n;
      }
    }
  }
  std::vector<OperationRow> take() { return std::move(rows_); }

 private:
  std::vector<OperationRow> rows_;
};

}  // namespace

std::vector<OperationRow> operations_of(const engine::CompiledPlan& plan, const engine::OpTimes& times,
                                        std::span<const ops::PassedOver> passed_over, const BenchCost& test,
                                        std::int64_t n_logits, bool generates, int n_threads, const Limits& limits) {
  Table table;
  for (std::size_t i = 0; i < plan.ops().size(); ++i) {
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { products_of(op, test, n_logits); }) {
            Products products = products_of(op, test, n_logits);
            if constexpr (requires { op.parts; }) take_off(products.cost, *op.parts.front().matrix, passed_over[i]);
            table.add(products, times.whole[i] - times.rounding[i]);
            table.add("rounding of inputs", times.rounding[i]);
          } else {
            table.add(name_of(op), times.whole[i]);
          }
        },
        plan.ops()[i]);
  }
  std::vector<OperationRow> rows = table.take();
  std::erase_if(rows, [](const OperationRow& row) { return row.seconds <= 0.0; });  // a head that nobody asked
  for (OperationRow& row : rows) {
    if (row.cost.bytes > 0.0) row.judged = judge(row.cost, row.seconds, n_threads, generates, limits, true);
  }
  std::ranges::sort(rows, std::greater<>{}, &OperationRow::seconds);
  return rows;
}

}  // namespace tern::lab
