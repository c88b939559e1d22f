#include "train/flops.hpp"

#include <algorithm>

namespace tern::train {
namespace {

/// Keys that a query sees, on average over a sequence.
double keys_seen(const models::AttentionStep& step, std::int64_t n_tokens) {
  if (!step.causal) return static_cast<double>(n_tokens);
  double sum = 0.0;
  for (std::int64_t t = 0; t < n_tokens; ++t) {
    sum += static_cast<double>(step.window == 0 ? t + 1 : std::min(t + 1, step.window));
  }
  return sum / static_cast<double>(n_tokens);
}

}  // namespace

double flops_of_training(const models::Plan& plan, std::int64_t n_tokens) {
  double flops = 0.0;
  for (const models::Step& step : plan.steps) {
    if (const auto* linear = std::get_if<models::LinearStep>(&step)) {
      flops += 6.0 * static_cast<double>(plan.tensor(linear->weight).shape.n_elements());
    } else if (const auto* head = std::get_if<models::HeadStep>(&step)) {
      flops += 6.0 * static_cast<double>(plan.tensor(head->weight).shape.n_elements());
    } else if (const auto* attention = std::get_if<models::AttentionStep>(&step)) {
      const auto width = static_cast<double>(attention->n_heads * attention->head_dim);
      flops += 2.0 * 7.0 * width * keys_seen(*attention, n_tokens);
    }
  }
  return flops;
}

}  // namespace tern::train
