// Lines over a common axis: perplexity over the chunks read, speed over threads. Each line is named at its right end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/svg.hpp"

namespace tern::report {

struct LineSeries {
  std::string name;
  std::vector<Point2> points;  // ascending x, in values; points that are not finite break nothing, they are left out
  std::vector<double> low{};   // [points] or empty: a band from low to high
  std::vector<double> high{};
  bool markers = true;
};

struct LineChart {
  std::string description;
  std::string x_title;
  std::string y_title;
  bool log_x = false;
  bool log_y = false;
  bool y_from_zero = false;
  std::vector<LineSeries> series{};
  double width = 620.0;
  double height = 360.0;
};

[[nodiscard]] std::string to_svg(const LineChart& chart);

}  // namespace tern::report
