#include "engine/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tern::engine {

Result<void> check(const SamplerOptions& o) {
  if (!(o.temperature >= 0.0F && std::isfinite(o.temperature)))
    return fail(ErrorCode::usage, "--temp is {}, expected 0 (greedy) or more", o.temperature);
  if (o.top_k < 0) return fail(ErrorCode::usage, "--top-k is {}, expected 0 (all) or more", o.top_k);
  if (!(o.top_p > 0.0F && o.top_p <= 1.0F))
    return fail(ErrorCode::usage, "--top-p is {}, expected above 0 and at most 1", o.top_p);
  if (!(o.min_p >= 0.0F && o.min_p <= 1.0F)) return fail(ErrorCode::usage, "--min-p is {}, expected 0 to 1", o.min_p);
  if (!(o.repeat_penalty > 0.0F && std::isfinite(o.repeat_penalty)))
    return fail(ErrorCode::usage, "--repeat-penalty is {}, expected above 0 (1 is none)", o.repeat_penalty);
  if (o.repeat_last_n < -1)
    return fail(ErrorCode::usage, "--repeat-last-n is {}, expected -1 (all) or more", o.repeat_last_n);
  return {};
}

std::int32_t argmax(std::span<const float> values) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[best] || (std::isnan(values[best]) && !std::isnan(values[i]))) best = i;
  }
  return static_cast<std::int32_t>(best);
}

std::int32_t Sampler::sample(std::span<const float> logits, std::span<const std::int32_t> history) {
  const bool penalise = options_.repeat_penalty != 1.0F && options_.repeat_last_n != 0;
  if (options_.temperature == 0.0F && !penalise) return argmax(logits);

  candidates_.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) candidates_[i] = {static_cast<std::int32_t>(i), logits[i]};
  if (penalise) {
    if (options_.repeat_last_n > 0) {
      history = history.last(std::min(history.size(), static_cast<std::size_t>(options_.repeat_last_n)));
    }
    std::vector<std::int32_t> seen(history.begin(), history.end());
    std::ranges::sort(seen);
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const std::int32_t id : seen) {
      float& logit = candidates_[static_cast<std::size_t>(id)].logit;
      logit = logit > 0.0F ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
    }
  }
  // NaN (a damaged model) has no order: such a token comes last.
  for (Candidate& c : candidates_) {
    if (std::isnan(c.logit)) c.logit = -std::numeric_limits<float>::infinity();
  }
  // Equal logits are ordered by id, so that the order never depends on the sorting algorithm.
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  };
  if (options_.temperature == 0.0F) return std::ranges::min_element(candidates_, better)->id;

  const std::size_t keep =
      options_.top_k == 0 ? candidates_.size() : std::min(candidates_.size(), static_cast<std::size_t>(options_.top_k));
  std::ranges::partial_sort(candidates_, candidates_.begin() + static_cast<std::ptrdiff_t>(keep), better);
  candidates_.resize(keep);

  const double top = static_cast<double>(candidates_.front().logit);
  if (options_.top_p < 1.0F) {
    double total = 0.0;
    for (const Candidate& c : candidates_) total += std::exp(static_cast<double>(c.logit) - top);
    double sum = 0.0;
    std::size_t n = 0;
    while (n < candidates_.size() && sum < static_cast<double>(options_.top_p) * total) {
      sum += std::exp(static_cast<double>(candidates_[n++].logit) - top);
    }
    candidates_.resize(std::max<std::size_t>(n, 1));
  }
  if (options_.min_p > 0.0F) {
    const double least = top + std::log(static_cast<double>(options_.min_p));
    std::size_t n = 1;
    while (n < candidates_.size() && static_cast<double>(candidates_[n].logit) >= least) ++n;
    candidates_.resize(n);
  }
  double total = 0.0;
  std::vector<double> weights;
  for (const Candidate& c : candidates_) {
    weights.push_back(std::exp((static_cast<double>(c.logit) - top) / static_cast<double>(options_.temperature)));
    total += weights.back();
  }
  double draw = random_.uniform() * total;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    draw -= weights[i];
    if (draw < 0.0) return candidates_[i].id;
  }
  return candidates_.back().id;
}

}  // namespace tern::engine
