// Implementation of axis.hpp.
#include "report/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/words.hpp"
#include "report/number.hpp"

namespace tern::report {
namespace {

/// The round number (1, 2 or 5 times a power of ten) next to `rough` from above.
double round_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double lead = rough / power;
  return (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0) * power;
}

/// "12,000": whole numbers with separators, others as they are.
std::string tick_label(double value, int decimals) {
  if (decimals == 0 && std::abs(value) >= 10000 && std::abs(value) < 1e15) {
    const auto digits = with_separators(static_cast<std::uint64_t>(std::llround(std::abs(value))));
    return value < 0 ? "-" + digits : digits;
  }
  if (std::abs(value) >= 1e15) return significant(value, 2);
  return fixed(value, decimals);
}

void add_linear_ticks(Axis& axis, int about) {
  const double step = round_step((axis.high - axis.low) / about);
  const int decimals = std::clamp(-static_cast<int>(std::floor(std::log10(step) + 1e-9)), 0, 12);
  const double first = std::ceil(axis.low / step - 1e-9);
  for (double k = first; k * step <= axis.high + 1e-9 * step && axis.ticks.size() < 64; ++k) {
    axis.ticks.push_back({k * step, tick_label(k * step, decimals)});
  }
}

bool add_logarithmic_ticks(Axis& axis, int about) {
  for (const std::vector<double>& leads : {std::vector<double>{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}}) {
    axis.ticks.clear();
    for (double e = std::floor(std::log10(axis.low)); e <= std::ceil(std::log10(axis.high)); ++e) {
      for (const double lead : leads) {
        const double value = lead * std::pow(10.0, e);
        if (value < axis.low * (1 - 1e-9) || value > axis.high * (1 + 1e-9)) continue;
        const int decimals = std::max(0, -static_cast<int>(e) + (lead == 1.5 ? 1 : 0));
        axis.ticks.push_back({value, tick_label(value, decimals)});
      }
    }
    if (static_cast<int>(axis.ticks.size()) * 2 > about) return true;
  }
  return false;
}

}  // namespace

double Axis::position(double value) const {
  if (logarithmic) return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
  return (value - low) / (high - low);
}

Axis make_axis(const std::vector<double>& values, const AxisWish& wish) {
  double low = INFINITY;
  double high = -INFINITY;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (wish.include_zero || low > high) {
    low = std::min(low, 0.0);
    high = std::max(high, 0.0);
  }
  Axis axis;
  if (wish.logarithmic && low > 0.0) {
    const double span = std::max(std::log(high / low), 0.02);
    axis.logarithmic = true;
    axis.low = low * std::exp(-wish.padding * span);
    axis.high = high * std::exp(wish.padding * span);
    if (add_logarithmic_ticks(axis, wish.about_ticks)) return axis;
    axis.ticks.clear();
    axis.logarithmic = false;
  }
  // A single value, or values equal but for rounding, still get an axis that tells where they are.
  const double least_span = 1e-6 * std::max(std::abs(low), std::abs(high));
  if (high - low <= least_span) {
    const double half = low == 0.0 && high == 0.0 ? 0.5 : 0.05 * std::max(std::abs(low), std::abs(high));
    low -= half;
    high += half;
  }
  const double pad = wish.padding * (high - low);
  const bool stays_positive = low >= 0.0;
  axis.low = wish.include_zero && low == 0.0 ? 0.0 : stays_positive ? std::max(0.0, low - pad) : low - pad;
  axis.high = wish.include_zero && high == 0.0 ? 0.0 : high + pad;
  add_linear_ticks(axis, wish.about_ticks);
  return axis;
}

}  // namespace tern::report
