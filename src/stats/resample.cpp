// Implementation of resample.hpp.
#include "stats/resample.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "stats/summary.hpp"

namespace tern::stats {
namespace {

/// All patterns with the first sign fixed (the others mirror them), each one flip away from the one before (Gray code).
std::uint64_t count_exactly(const std::vector<double>& sums, double at_least) {
  const std::uint64_t patterns = std::uint64_t{1} << (sums.size() - 1);
  std::vector<double> signs(sums.size(), 1.0);
  CompensatedSum total;
  for (const double s : sums) total.add(s);
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0;;) {
    if (std::abs(total.value()) >= at_least) ++hits;
    if (++i == patterns) return hits;
    const auto flip = static_cast<std::size_t>(std::countr_zero(i)) + 1;
    signs[flip] = -signs[flip];
    total.add(2.0 * signs[flip] * sums[flip]);
  }
}

std::uint64_t count_by_drawing(const std::vector<double>& sums, double at_least, std::uint64_t draws,
                               std::uint64_t seed) {
  Random random(seed);
  std::uint64_t hits = 0;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    CompensatedSum total;
    std::uint64_t bits = 0;
    for (std::size_t c = 0; c < sums.size(); ++c) {
      if (c % 64 == 0) bits = random.next();
      total.add((bits & 1) != 0 ? sums[c] : -sums[c]);
      bits >>= 1;
    }
    if (std::abs(total.value()) >= at_least) ++hits;
  }
  return hits;
}

}  // namespace

SignFlipTest sign_flip_test(const ClusteredDifference& difference, std::uint64_t draws, std::uint64_t seed) {
  const auto& sums = difference.cluster_sums;
  TERN_CHECK(!sums.empty() && draws > 0);
  CompensatedSum seen;
  double size = 0.0;
  for (const double s : sums) {
    seen.add(s);
    size += std::abs(s);
  }
  // Patterns that tie but for rounding count as ties: the test may lose power that way, never invent it.
  const double at_least = std::abs(seen.value()) - 1e-13 * size;
  if (sums.size() <= kExactClusters) {
    const std::uint64_t patterns = std::uint64_t{1} << (sums.size() - 1);
    const std::uint64_t hits = count_exactly(sums, at_least);
    return {.p_value = static_cast<double>(hits) / static_cast<double>(patterns), .exact = true, .draws = patterns};
  }
  const std::uint64_t hits = count_by_drawing(sums, at_least, draws, seed);
  return {.p_value = static_cast<double>(hits + 1) / static_cast<double>(draws + 1), .exact = false, .draws = draws};
}

std::optional<Interval> bootstrap_interval(const ClusteredDifference& difference, double level, std::size_t draws,
                                           std::uint64_t seed) {
  TERN_CHECK(level > 0.0 && level < 1.0 && draws > 0);
  const std::size_t n_clusters = difference.cluster_sums.size();
  if (n_clusters < 2) return std::nullopt;
  Random random(seed);
  std::vector<double> means(draws);
  for (double& drawn : means) {
    CompensatedSum total;
    std::size_t n_tokens = 0;
    for (std::size_t k = 0; k < n_clusters; ++k) {
      const std::size_t c = random.below(n_clusters);
      total.add(difference.cluster_sums[c]);
      n_tokens += difference.cluster_sizes[c];
    }
    drawn = total.value() / static_cast<double>(n_tokens);
  }
  std::ranges::sort(means);
  return Interval{quantile_of_sorted(means, 0.5 - 0.5 * level), quantile_of_sorted(means, 0.5 + 0.5 * level)};
}

}  // namespace tern::stats
