// A forest plot: differences with their intervals, one row each, in groups (one per text), against a line at zero.
//
// Differences of one sweep span orders of magnitude (Q8_0 +0.01, Q3_K +1.7): where they do, the axis is asinh-scaled,
// linear near zero and logarithmic beyond, so that the small ones stay visible, and the chart says so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/table.hpp"
#include "stats/interval.hpp"

namespace tern::report {

struct ForestRow {
  std::string label;
  double estimate = 0.0;
  std::optional<stats::Interval> interval{};
  std::string text{};       // at the right: the figures in words
  Tone tone = Tone::plain;  // good, bad, or muted (no significant difference)
};

struct ForestGroup {
  std::string title;
  std::vector<ForestRow> rows;
};

struct ForestChart {
  std::string description;
  std::string x_title;
  std::string left_hint{};   // e.g. "better than F32"
  std::string right_hint{};  // e.g. "worse than F32"
  std::vector<ForestGroup> groups{};
  double width = 760.0;
};

[[nodiscard]] std::string to_svg(const ForestChart& chart);

}  // namespace tern::report
