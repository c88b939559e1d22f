// Where the time of a test goes, operation by operation: what each reads and multiplies, by count, beside the seconds
// it took and the machine's limits. Equal operations of all layers are one row.
#pragma once

#include <string>
#include <vector>

#include "engine/compiled_plan.hpp"
#include "engine/op_times.hpp"
#include "lab/bench_cost.hpp"
#include "lab/bench_limits.hpp"

namespace tern::lab {

struct OperationRow {
  std::string name;               // "products 2560 + 640 + 640 x 2560", "rounding", "attention", ...
  std::int64_t n_operations = 0;  // of the plan
  double seconds = 0.0;           // over all steps of the test
  BenchCost cost;                 // bytes and multiply-adds of products; 0 for other operations, which are not counted
  Judgement judged;

  [[nodiscard]] double gigabytes_per_second() const { return cost.bytes / seconds * 1e-9; }
  [[nodiscard]] double gigamacs_per_second() const { return cost.n_products() / seconds * 1e-9; }
};

/// Longest first. passed_over: by operation; `test`: the cost of the whole test; n_logits: tokens whose logits were
/// wanted.
[[nodiscard]] std::vector<OperationRow> operations_of(const engine::CompiledPlan& plan, const engine::OpTimes& times,
                                                      std::span<const ops::PassedOver> passed_over,
                                                      const BenchCost& test, std::int64_t n_logits, bool generates,
                                                      int n_threads, const Limits& limits);

}  // namespace tern::lab
