// What a test costs by count: the bytes that it must read and the multiply-adds that it must do, whatever the machine.
// The idea: weights are read once a step (one pass over at most n_batch tokens), the head only in steps that somebody
// wants logits of, and a step reads the keys and values that its tokens see once. Attention's own multiply-adds are
// not counted: they are a small share except in long contexts, and no one kind of instruction does them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/work.hpp"
#include "lab/bench_plan.hpp"

namespace tern::lab {

struct BenchCost {
  struct Products {
    std::string peak;  // the quantity of bench/limits that bounds them; "" where none is known
    double n = 0.0;
    int per_operation = 1;  // multiply-adds that one of its operations stands for
  };

  std::int64_t n_tokens = 0;
  std::int64_t n_steps = 0;
  double bytes = 0.0;  // over all steps
  std::vector<Products> products;

  [[nodiscard]] double bytes_per_token() const { return bytes / static_cast<double>(n_tokens); }
  [[nodiscard]] double bytes_per_step() const { return bytes / static_cast<double>(n_steps); }
  [[nodiscard]] double n_products() const;
  /// At most, where steps differ; 0 of no step.
  [[nodiscard]] std::int64_t tokens_per_step() const { return n_steps == 0 ? 0 : (n_tokens + n_steps - 1) / n_steps; }
};

/// Takes off what a product with this matrix left out.
void take_off(BenchCost& cost, const ops::Matrix& matrix, const ops::PassedOver& passed_over);
/// The same for all products of a plan; passed_over: by operation.
void take_off(BenchCost& cost, const engine::CompiledPlan& plan, std::span<const ops::PassedOver> passed_over);

/// Keys and values of layers with one window.
struct KvReads {
  double bytes_per_position = 0.0;
  std::int64_t window = 0;  // positions that a token sees at most; 0: all
};

/// The layers of a plan by window, sharing out the cache's bytes per position (all layers).
[[nodiscard]] std::vector<KvReads> kv_reads(const engine::CompiledPlan& plan, double bytes_per_position);

/// Tokens that a step of a test has, at most where steps differ; n_batch >= 1: the most that a step may have.
[[nodiscard]] std::int64_t tokens_per_step(const BenchTest& test, std::int64_t n_batch);

/// work: with so many tokens in a step.
[[nodiscard]] BenchCost cost_of(const BenchTest& test, const engine::Work& work, std::span<const KvReads> kv,
                                std::int64_t n_batch);

}  // namespace tern::lab
