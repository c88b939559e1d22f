// Implementation of summary.hpp.
#include "stats/summary.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"

namespace tern::stats {
namespace {

std::vector<double> sorted_copy(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return sorted;
}

}  // namespace

double sum(std::span<const double> values) {
  CompensatedSum total;
  for (const double value : values) total.add(value);
  return total.value();
}

double mean(std::span<const double> values) {
  TERN_CHECK(!values.empty());
  return sum(values) / static_cast<double>(values.size());
}

std::optional<double> variance(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double centre = mean(values);
  CompensatedSum squares;
  for (const double value : values) squares.add((value - centre) * (value - centre));
  return squares.value() / static_cast<double>(values.size() - 1);
}

std::optional<double> standard_deviation(std::span<const double> values) {
  const auto squared = variance(values);
  if (!squared) return std::nullopt;
  return std::sqrt(*squared);
}

double quantile_of_sorted(std::span<const double> sorted, double p) {
  TERN_CHECK(!sorted.empty());
  TERN_CHECK(p >= 0.0 && p <= 1.0);
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

double quantile(std::span<const double> values, double p) {
  return quantile_of_sorted(sorted_copy(values), p);
}

double median(std::span<const double> values) {
  return quantile(values, 0.5);
}

Summary summarise(std::span<const double> values) {
  TERN_CHECK(!values.empty());
  const auto sorted = sorted_copy(values);
  return {.n = values.size(),
          .mean = mean(values),
          .standard_deviation = standard_deviation(values),
          .min = sorted.front(),
          .median = quantile_of_sorted(sorted, 0.5),
          .max = sorted.back()};
}

}  // namespace tern::stats
