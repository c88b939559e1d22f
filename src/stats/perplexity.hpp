// Perplexity of one model on one text with the uncertainty llama.cpp prints beside it. Not a comparison of two models:
// this ± treats tokens as independent and ignores that both models saw the same ones (paired.hpp does it right).
//
// perplexity = exp(mean nll); its error is perplexity * sqrt((E[v^2] - E[v]^2) / (count - 1)), v = nll of one token in
// nats. Source: the perplexity tool of llama.cpp, whose figures people compare with.
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <span>

#include "stats/summary.hpp"

namespace tern::stats {

struct Perplexity {
  std::size_t n_tokens = 0;
  double mean_nll = 0.0;                 // nats per token
  double value = 0.0;                    // exp(mean_nll)
  std::optional<double> nll_error;       // standard error of mean_nll; empty below two tokens
  std::optional<double> standard_error;  // of value

  /// Bits per byte of the text, `n_bytes` > 0 being the bytes that the scored tokens stand for.
  [[nodiscard]] double bits_per_byte(double n_bytes) const {
    return mean_nll * static_cast<double>(n_tokens) / (std::numbers::ln2 * n_bytes);
  }
};

/// `nll` [n_tokens >= 1] in nats. An infinite value makes the perplexity infinite.
[[nodiscard]] inline Perplexity perplexity(std::span<const double> nll) {
  Perplexity result{.n_tokens = nll.size(), .mean_nll = mean(nll), .value = 0.0, .nll_error = {}, .standard_error = {}};
  result.value = std::exp(result.mean_nll);
  if (const auto squared = variance(nll)) {
    // (E[v^2] - E[v]^2) / (count - 1) is the sample variance / count: the same number without the cancellation.
    result.nll_error = std::sqrt(*squared / static_cast<double>(nll.size()));
    result.standard_error = result.value * *result.nll_error;
  }
  return result;
}

}  // namespace tern::stats
