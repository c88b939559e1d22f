// An interval of values, and the interval of a mean of independent repetitions (timings and the like).
// Not for per-token values of one text, which are correlated: those are paired.hpp.
#pragma once

#include <optional>
#include <span>

namespace tern::stats {

struct Interval {
  double low = 0.0;
  double high = 0.0;

  [[nodiscard]] bool contains(double value) const { return low <= value && value <= high; }
};

/// Student's t interval of the mean of independent values at confidence `level` in (0, 1); empty below two values.
[[nodiscard]] std::optional<Interval> mean_interval(std::span<const double> values, double level = 0.95);

}  // namespace tern::stats
