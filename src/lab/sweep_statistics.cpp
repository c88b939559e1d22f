// The arithmetic of sweep.hpp that needs no model: mean over texts, adjusted p-values, the size of a file.
#include <algorithm>
#include <cmath>

#include "lab/sweep.hpp"
#include "stats/special.hpp"

namespace tern::lab {

stats::PairedComparison mean_over_texts(const std::vector<TextScore>& texts) {
  stats::PairedComparison mean;
  if (texts.empty()) return mean;
  const auto k = static_cast<double>(texts.size());
  double log_base = 0.0;
  double variance = 0.0;
  double spread = 0.0;  // sum of variance^2 / degrees of freedom
  bool has_error = true;
  for (const TextScore& text : texts) {
    const stats::PairedComparison& paired = text.paired;
    mean.n_tokens += paired.n_tokens;
    mean.mean_difference += paired.mean_difference / k;
    log_base += std::log(paired.base_perplexity) / k;
    if (!paired.standard_error || paired.n_clusters < 2) {
      has_error = false;
      continue;
    }
    const double part = *paired.standard_error * *paired.standard_error / (k * k);
    variance += part;
    spread += part * part / static_cast<double>(paired.n_clusters - 1);
    mean.n_clusters += paired.n_clusters;
  }
  mean.base_perplexity = std::exp(log_base);
  mean.other_perplexity = std::exp(log_base + mean.mean_difference);
  mean.delta_perplexity = mean.base_perplexity * std::expm1(mean.mean_difference);
  if (!has_error) {
    mean.n_clusters = 1;
    return mean;
  }
  const double error = std::sqrt(variance);
  const double pooled = static_cast<double>(mean.n_clusters - texts.size());
  const double df = spread > 0.0 ? std::clamp(std::floor(variance * variance / spread + 1e-9), 1.0, pooled) : pooled;
  mean.n_clusters = static_cast<std::size_t>(df) + 1;
  mean.standard_error = error;
  const double half = error == 0.0 ? 0.0 : stats::student_t_quantile(0.5 + 0.5 * mean.level, df) * error;
  mean.interval = stats::Interval{mean.mean_difference - half, mean.mean_difference + half};
  mean.delta_interval = stats::Interval{mean.base_perplexity * std::expm1(mean.interval->low),
                                        mean.base_perplexity * std::expm1(mean.interval->high)};
  if (error > 0.0) {
    mean.t = mean.mean_difference / error;
    mean.p_value = stats::student_t_two_sided(*mean.t, df);
  } else {
    mean.p_value = mean.mean_difference == 0.0 ? 1.0 : 0.0;
  }
  mean.significant = *mean.p_value < 1.0 - mean.level;
  return mean;
}

void adjust_p_values(SweepResult& result) {
  std::vector<TextScore*> scores;
  std::vector<double> p_values;
  for (std::size_t i = 0; i < result.formats.size(); ++i) {
    if (i == result.reference || !result.formats[i].error.empty()) continue;
    for (TextScore& text : result.formats[i].texts) {
      if (!text.paired.p_value) continue;
      scores.push_back(&text);
      p_values.push_back(*text.paired.p_value);
    }
  }
  const std::vector<double> adjusted = stats::holm(p_values);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i]->p_adjusted = adjusted[i];
}

std::uint64_t file_bytes_with(std::uint64_t file_bytes, std::uint64_t old_bytes, std::uint64_t new_bytes,
                              std::uint64_t alignment) {
  const auto padded = [&](std::uint64_t n) { return (n + alignment - 1) / alignment * alignment; };
  return file_bytes - padded(old_bytes) + padded(new_bytes);
}

}  // namespace tern::lab
