// One axis of a chart: a range of data widened to round numbers, its ticks with labels, and where a value falls on it.
// Knows nothing of pixels or SVG.
//
// Linear steps are 1, 2 or 5 times a power of ten; a logarithmic axis has ticks at 1 (2, 5) times powers of ten, and
// falls back to linear where the data span too little for two such ticks.
#pragma once

#include <string>
#include <vector>

namespace tern::report {

struct Tick {
  double value = 0.0;
  std::string label;
};

struct Axis {
  double low = 0.0;
  double high = 1.0;
  bool logarithmic = false;
  std::vector<Tick> ticks;

  /// 0 at low, 1 at high; values outside the range fall outside [0, 1].
  [[nodiscard]] double position(double value) const;
};

struct AxisWish {
  bool logarithmic = false;  // only honoured when every value is positive
  bool include_zero = false;
  int about_ticks = 6;
  double padding = 0.04;  // share of the data's span kept free at both ends
};

/// An axis that shows all of `values` (those that are not finite are ignored; none left: 0 to 1).
[[nodiscard]] Axis make_axis(const std::vector<double>& values, const AxisWish& wish = {});

}  // namespace tern::report
