// Implementation of interval.hpp.
#include "stats/interval.hpp"

#include <cmath>

#include "base/error.hpp"
#include "stats/special.hpp"
#include "stats/summary.hpp"

namespace tern::stats {

std::optional<Interval> mean_interval(std::span<const double> values, double level) {
  TERN_CHECK(level > 0.0 && level < 1.0);
  const auto deviation = standard_deviation(values);
  if (!deviation) return std::nullopt;
  const double n = static_cast<double>(values.size());
  const double half = student_t_quantile(0.5 + 0.5 * level, n - 1.0) * *deviation / std::sqrt(n);
  const double centre = mean(values);
  return Interval{centre - half, centre + half};
}

}  // namespace tern::stats
