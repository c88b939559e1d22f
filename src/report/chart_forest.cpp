// Implementation of chart_forest.hpp.
#include "report/chart_forest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/axis.hpp"
#include "report/number.hpp"
#include "report/svg.hpp"

namespace tern::report {
namespace {

constexpr double kRowHeight = 22.0;
constexpr double kGroupHead = 28.0;

/// Where a difference falls on the axis, and its ticks.
struct Scale {
  double unit = 0.0;  // 0: linear; else asinh(value / unit)
  double low = -1.0, high = 1.0;
  std::vector<Tick> ticks;

  [[nodiscard]] double stretched(double value) const { return unit > 0.0 ? std::asinh(value / unit) : value; }
  [[nodiscard]] double position(double value) const {
    return (stretched(value) - stretched(low)) / (stretched(high) - stretched(low));
  }
};

Scale make_scale(const std::vector<double>& values) {
  std::vector<double> sizes;
  double low = 0.0;
  double high = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    if (value != 0.0) sizes.push_back(std::abs(value));
  }
  Scale scale;
  std::ranges::sort(sizes);
  if (sizes.size() < 4 || sizes.back() < 25.0 * sizes[sizes.size() / 4]) {
    const auto axis = make_axis(values, {.logarithmic = false, .include_zero = true, .padding = 0.05});
    scale.low = axis.low;
    scale.high = axis.high;
    scale.ticks = axis.ticks;
    return scale;
  }
  scale.unit = std::pow(10.0, std::floor(std::log10(sizes[sizes.size() / 4])));
  scale.low = low < 0.0 ? 1.3 * low - 0.3 * scale.unit : -scale.unit;
  scale.high = high > 0.0 ? 1.3 * high + 0.3 * scale.unit : scale.unit;
  const int decimals = std::max(0, -static_cast<int>(std::lround(std::log10(scale.unit))));
  scale.ticks.push_back({0.0, "0"});
  for (double size = scale.unit; size <= std::max(-scale.low, scale.high); size *= 10.0) {
    if (size <= scale.high) scale.ticks.push_back({size, with_sign(size, size < 1 ? decimals : 0)});
    if (-size >= scale.low) scale.ticks.insert(scale.ticks.begin(), {-size, with_sign(-size, size < 1 ? decimals : 0)});
  }
  for (auto& tick : scale.ticks) {  // 0.010 -> 0.01
    if (tick.label.find('.') == std::string::npos) continue;
    while (tick.label.back() == '0') tick.label.pop_back();
  }
  return scale;
}

std::string_view tone_class(Tone tone) {
  if (tone == Tone::good) return "tone-good";
  if (tone == Tone::bad) return "tone-bad";
  return tone == Tone::muted ? "tone-quiet" : "series-0";
}

}  // namespace

std::string to_svg(const ForestChart& chart) {
  std::vector<double> values;
  double label_width = 40.0;
  double text_column = 0.0;
  double height = 64.0;
  for (const auto& group : chart.groups) {
    height += kGroupHead;
    label_width = std::max(label_width, std::min(180.0, 1.06 * text_width(group.title) - 14.0));
    for (const auto& row : group.rows) {
      height += kRowHeight;
      values.push_back(row.estimate);
      if (row.interval) values.insert(values.end(), {row.interval->low, row.interval->high});
      label_width = std::max(label_width, text_width(row.label));
      text_column = std::max(text_column, text_width(row.text));
    }
  }
  const auto scale = make_scale(values);
  const double left = label_width + 22.0;
  const double right = std::max(left + 120.0, chart.width - text_column - 18.0);
  const auto x_of = [&](double value) { return left + scale.position(value) * (right - left); };
  const double bottom = height - 44.0;

  Svg svg(chart.width, height, chart.description);
  double free_from = -1e9;
  for (const auto& tick : scale.ticks) {
    const double x = x_of(tick.value);
    svg.line({x, 20}, {x, bottom}, tick.value == 0.0 ? "zero" : "grid");
    const double half = text_width(tick.label) / 2;
    if (x - half < free_from) continue;
    svg.text({x, bottom + 17}, true_minus(tick.label), "quiet", Anchor::middle);
    free_from = x + half + 5;
  }
  const double zero = x_of(0.0);
  if (!chart.left_hint.empty() && zero - left > text_width(chart.left_hint) + 20) {
    svg.text({zero - 8, 13}, "← " + chart.left_hint, "quiet", Anchor::end);
  }
  if (!chart.right_hint.empty()) svg.text({zero + 8, 13}, chart.right_hint + " →", "quiet");
  svg.text({(left + right) / 2, bottom + 38},
           chart.x_title + (scale.unit > 0.0 ? " (axis compressed away from zero)" : ""), "", Anchor::middle);

  double y = 20.0;
  for (const auto& group : chart.groups) {
    svg.text({4, y + 19}, group.title, "head halo");
    y += kGroupHead;
    for (const auto& row : group.rows) {
      const double middle = y + kRowHeight / 2;
      svg.open_group(fmt::format("{}, {}: {}", group.title, row.label, row.text), tone_class(row.tone));
      svg.text({12, middle + 4}, row.label, "");
      if (row.interval && std::isfinite(row.interval->low) && std::isfinite(row.interval->high)) {
        const double from = x_of(row.interval->low);
        const double to = x_of(row.interval->high);
        svg.line({from, middle}, {to, middle}, "whisker");
        for (const double x : {from, to}) svg.line({x, middle - 4}, {x, middle + 4}, "whisker");
      }
      if (std::isfinite(row.estimate)) {
        svg.circle({x_of(row.estimate), middle}, 4.5, row.interval ? "dot" : "ring");
      }
      svg.text({right + 14, middle + 4}, true_minus(row.text),
               row.tone == Tone::bad    ? "bad-text"
               : row.tone == Tone::good ? "good-text"
                                        : "quiet");
      svg.close_group();
      y += kRowHeight;
    }
  }
  return std::move(svg).finish();
}

}  // namespace tern::report
