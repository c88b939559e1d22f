// Summaries of a handful of measurements or of millions of per-token values: sums that do not drift, mean, standard
// deviation, quantiles. Not tests or intervals (interval.hpp, paired.hpp).
//
// Every sum is compensated, so that the mean of a million values is right to the last digits whatever their order.
// Source: Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen" (1974); quantiles are
// Hyndman and Fan's type 7, the default of numpy.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace tern::stats {

/// A running sum with the lost low-order parts kept beside it.
class CompensatedSum {
 public:
  void add(double value) {
    const double total = sum_ + value;
    const bool sum_is_larger = (sum_ < 0 ? -sum_ : sum_) >= (value < 0 ? -value : value);
    lost_ += sum_is_larger ? (sum_ - total) + value : (value - total) + sum_;
    sum_ = total;
  }
  /// The sum. Once a NaN or an infinity went in, the plain sum's NaN or infinity.
  [[nodiscard]] double value() const { return lost_ - lost_ == 0.0 ? sum_ + lost_ : sum_; }

 private:
  double sum_ = 0.0;
  double lost_ = 0.0;
};

[[nodiscard]] double sum(std::span<const double> values);

/// Arithmetic mean; at least one value.
[[nodiscard]] double mean(std::span<const double> values);

/// Sample variance with n - 1 in the denominator, by two passes; empty below two values.
[[nodiscard]] std::optional<double> variance(std::span<const double> values);
[[nodiscard]] std::optional<double> standard_deviation(std::span<const double> values);

/// The quantile at p in [0, 1], linear between the neighbouring order statistics; at least one value, no NaN.
[[nodiscard]] double quantile(std::span<const double> values, double p);

/// The same for values already in ascending order: no copy, no sorting.
[[nodiscard]] double quantile_of_sorted(std::span<const double> sorted, double p);

[[nodiscard]] double median(std::span<const double> values);

/// The figures one prints about a set of repetitions.
struct Summary {
  std::size_t n = 0;
  double mean = 0.0;
  std::optional<double> standard_deviation;  // empty for a single value
  double min = 0.0;
  double median = 0.0;
  double max = 0.0;
};

/// At least one value, no NaN.
[[nodiscard]] Summary summarise(std::span<const double> values);

}  // namespace tern::stats
