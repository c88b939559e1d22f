// Implementation of bench_cost.hpp.
#include "lab/bench_cost.hpp"

#include <algorithm>
#include <variant>

namespace tern::lab {
namespace {

// What tokens at positions [first, last) of one sequence read when they are computed in one step.
double kv_bytes(std::span<const KvReads> kv, std::int64_t first, std::int64_t last) {
  double bytes = 0.0;
  for (const KvReads& layers : kv) {
    const std::int64_t from = layers.window == 0 ? 0 : std::max<std::int64_t>(0, first + 1 - layers.window);
    bytes += layers.bytes_per_position * static_cast<double>(last - from);
  }
  return bytes;
}

BenchCost of_prompts(const BenchTest& test, const engine::Work& work, std::span<const KvReads> kv,
                     std::int64_t n_batch) {
  BenchCost cost;
  cost.n_tokens = test.n_tokens();
  for (std::int64_t begin = 0; begin < cost.n_tokens; begin += n_batch) {
    const std::int64_t end = std::min(begin + n_batch, cost.n_tokens);
    ++cost.n_steps;
    cost.bytes += static_cast<double>(work.trunk_bytes);
    bool wants_logits = false;
    for (std::int64_t at = begin; at < end;) {  // the sequences that lie in this step, one after the other
      const std::int64_t start = at / test.n_prompt * test.n_prompt;
      const std::int64_t stop = std::min(end, start + test.n_prompt);
      cost.bytes += kv_bytes(kv, test.n_depth + at - start, test.n_depth + stop - start);
      wants_logits |= stop == start + test.n_prompt;
      at = stop;
    }
    if (wants_logits) cost.bytes += static_cast<double>(work.head_bytes);
  }
  return cost;
}

BenchCost of_generation(const BenchTest& test, const engine::Work& work, std::span<const KvReads> kv,
                        std::int64_t n_batch) {
  const std::int64_t steps_a_token = (test.n_sequences + n_batch - 1) / n_batch;
  BenchCost cost;
  cost.n_tokens = test.n_tokens();
  cost.n_steps = test.n_gen * steps_a_token;
  cost.bytes = static_cast<double>(work.trunk_bytes + work.head_bytes) * static_cast<double>(cost.n_steps);
  for (std::int64_t p = test.n_depth; p < test.n_depth + test.n_gen; ++p) {
    cost.bytes += kv_bytes(kv, p, p + 1) * test.n_sequences;
  }
  return cost;
}

}  // namespace

double BenchCost::n_products() const {
  double sum = 0.0;
  for (const Products& p : products) sum += p.n;
  return sum;
}

void take_off(BenchCost& cost, const ops::Matrix& matrix, const ops::PassedOver& passed_over) {
  cost.bytes -= static_cast<double>(passed_over.bytes);
  const ops::Arithmetic arithmetic = matrix.arithmetic(cost.tokens_per_step());
  const auto same = std::ranges::find_if(cost.products, [&](const BenchCost::Products& products) {
    return products.peak == arithmetic.peak && products.per_operation == arithmetic.per_operation;
  });
  if (same != cost.products.end()) same->n -= static_cast<double>(passed_over.products);
}

void take_off(BenchCost& cost, const engine::CompiledPlan& plan, std::span<const ops::PassedOver> passed_over) {
  for (std::size_t i = 0; i < passed_over.size(); ++i) {
    const auto* linear = std::get_if<engine::LinearOp>(&plan.ops()[i]);
    if (linear != nullptr) take_off(cost, *linear->parts.front().matrix, passed_over[i]);
  }
}

std::vector<KvReads> kv_reads(const engine::CompiledPlan& plan, double bytes_per_position) {
  std::vector<KvReads> kv;  // first with widths in the place of bytes
  double whole = 0.0;
  for (const engine::Op& op : plan.ops()) {
    const auto* attention = std::get_if<engine::AttentionOp>(&op);
    if (attention == nullptr) continue;
    const auto width = static_cast<double>(attention->step.n_kv_heads * attention->step.head_dim);
    auto same = std::ranges::find(kv, attention->step.window, &KvReads::window);
    if (same == kv.end()) same = kv.insert(kv.end(), {.bytes_per_position = 0.0, .window = attention->step.window});
    same->bytes_per_position += width;
    whole += width;
  }
  for (KvReads& layers : kv) layers.bytes_per_position *= bytes_per_position / whole;
  return kv;
}

std::int64_t tokens_per_step(const BenchTest& test, std::int64_t n_batch) {
  const std::int64_t n_tokens = test.generates() ? test.n_sequences : test.n_tokens();
  const std::int64_t n_steps = (n_tokens + n_batch - 1) / n_batch;
  return (n_tokens + n_steps - 1) / n_steps;
}

BenchCost cost_of(const BenchTest& test, const engine::Work& work, std::span<const KvReads> kv, std::int64_t n_batch) {
  BenchCost cost = test.generates() ? of_generation(test, work, kv, n_batch) : of_prompts(test, work, kv, n_batch);
  // A prompt's logits are wanted of its last token alone.
  const std::int64_t n_logits = test.generates() ? cost.n_tokens : test.n_sequences;
  for (const engine::Products& p : work.products) {
    const double n = static_cast<double>(p.trunk) * static_cast<double>(cost.n_tokens) +
                     static_cast<double>(p.head) * static_cast<double>(n_logits);
    if (n > 0.0) cost.products.push_back({.peak = std::string(p.peak), .n = n, .per_operation = p.per_operation});
  }
  return cost;
}

}  // namespace tern::lab
