// Implementation of paired.hpp.
#include "stats/paired.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "stats/perplexity.hpp"
#include "stats/special.hpp"
#include "stats/summary.hpp"

namespace tern::stats {

Result<ClusteredDifference> clustered_difference(std::span<const double> base, std::span<const double> other,
                                                 std::span<const std::size_t> cluster_sizes) {
  const std::size_t n = base.size();
  if (n == 0) return fail(ErrorCode::bad_input, "paired comparison: no tokens were scored");
  if (other.size() != n) {
    return fail(ErrorCode::bad_input, "paired comparison: {} tokens against {}; both models must score the same text",
                n, other.size());
  }
  std::size_t left = n;
  for (const std::size_t size : cluster_sizes) {
    if (size == 0 || size > left) {
      return fail(ErrorCode::bad_input, "paired comparison: chunks do not add up to the {} tokens scored", n);
    }
    left -= size;
  }
  if (left != 0) return fail(ErrorCode::bad_input, "paired comparison: chunks leave {} of {} tokens over", left, n);

  std::vector<double> differences(n);
  for (std::size_t i = 0; i < n; ++i) {
    differences[i] = other[i] - base[i];
    if (!std::isfinite(differences[i])) {
      return fail(ErrorCode::bad_input, "paired comparison: token {} has nll {} against {}; both must be finite", i,
                  other[i], base[i]);
    }
  }
  ClusteredDifference result;
  result.n_tokens = n;
  result.mean = mean(differences);
  if (const auto squared = variance(differences)) result.token_error = std::sqrt(*squared / static_cast<double>(n));
  result.cluster_sizes.assign(cluster_sizes.begin(), cluster_sizes.end());
  std::size_t at = 0;
  for (const std::size_t size : cluster_sizes) {
    CompensatedSum plain;
    CompensatedSum centred;
    for (const std::size_t end = at + size; at < end; ++at) {
      plain.add(differences[at]);
      centred.add(differences[at] - result.mean);
    }
    result.cluster_sums.push_back(plain.value());
    result.centred_sums.push_back(centred.value());
  }
  return result;
}

std::vector<std::size_t> equal_clusters(std::size_t n_tokens, std::size_t tokens_per_cluster) {
  TERN_CHECK(tokens_per_cluster > 0);
  std::vector<std::size_t> sizes(n_tokens / tokens_per_cluster, tokens_per_cluster);
  if (n_tokens % tokens_per_cluster != 0) sizes.push_back(n_tokens % tokens_per_cluster);
  return sizes;
}

std::string_view PairedComparison::note() const {
  return standard_error ? std::string_view{} : "one chunk only: no interval and no p-value (at least two are needed)";
}

Result<PairedComparison> compare_paired(std::span<const double> base, std::span<const double> other,
                                        std::span<const std::size_t> cluster_sizes, double level) {
  TERN_CHECK(level > 0.0 && level < 1.0);
  TERN_TRY(const auto difference, clustered_difference(base, other, cluster_sizes));

  PairedComparison result;
  result.n_tokens = difference.n_tokens;
  result.n_clusters = difference.cluster_sums.size();
  result.level = level;
  result.mean_difference = difference.mean;
  result.token_standard_error = difference.token_error;
  result.base_perplexity = perplexity(base).value;
  result.other_perplexity = perplexity(other).value;
  result.delta_perplexity = result.base_perplexity * std::expm1(difference.mean);
  if (result.n_clusters < 2) return result;

  const double g = static_cast<double>(result.n_clusters);
  CompensatedSum squares;
  for (const double centred : difference.centred_sums) squares.add(centred * centred);
  const double error = std::sqrt(g / (g - 1.0) * squares.value()) / static_cast<double>(difference.n_tokens);
  const double half = error == 0.0 ? 0.0 : student_t_quantile(0.5 + 0.5 * level, g - 1.0) * error;
  result.standard_error = error;
  result.interval = Interval{difference.mean - half, difference.mean + half};
  result.delta_interval = Interval{result.base_perplexity * std::expm1(result.interval->low),
                                   result.base_perplexity * std::expm1(result.interval->high)};
  if (error > 0.0) {
    result.t = difference.mean / error;
  } else {
    result.t = difference.mean == 0.0 ? 0.0 : std::copysign(std::numeric_limits<double>::infinity(), difference.mean);
  }
  result.p_value = student_t_two_sided(*result.t, g - 1.0);
  result.significant = *result.p_value < 1.0 - level;
  return result;
}

std::optional<MarginTest> test_margin(const PairedComparison& comparison, double margin_nats) {
  TERN_CHECK(margin_nats > 0.0);
  if (!comparison.standard_error) return std::nullopt;
  const double error = *comparison.standard_error;
  const double df = static_cast<double>(comparison.n_clusters - 1);
  // P(T >= room / error): the chance of landing this far inside the margin if the truth sat on it.
  const auto p_inside = [&](double room) {
    if (error == 0.0) return room > 0.0 ? 0.0 : 1.0;
    return student_t_cdf(-room / error, df);
  };
  const double above = p_inside(margin_nats - comparison.mean_difference);
  const double below = p_inside(margin_nats + comparison.mean_difference);
  return MarginTest{.p_non_inferior = above, .p_equivalent = std::max(above, below)};
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair{p_values[i], i}; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0.0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double factor = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, factor * p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace tern::stats
