// A scatter plot of named choices - quality against speed, quality against size - with intervals, the Pareto front and
// a hint where better lies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/pareto.hpp"
#include "stats/interval.hpp"

namespace tern::report {

struct ScatterPoint {
  double x = 0.0;
  double y = 0.0;
  std::string label;
  std::optional<stats::Interval> x_range{};  // drawn as whiskers
  std::optional<stats::Interval> y_range{};
  std::string hover{};  // more words, shown when pointed at; "" means the label
  std::size_t series = 0;
  bool reference = false;  // drawn as a diamond: what the others are compared with
};

struct ScatterChart {
  std::string description;  // for those who cannot see it
  std::string x_title;      // with unit
  std::string y_title;
  Better better_x = Better::lower;
  Better better_y = Better::lower;
  bool log_x = false;
  bool log_y = false;
  bool front = true;                   // join the points that are not beaten (per series)
  std::vector<std::string> series{};   // names; a legend is drawn from two on
  std::vector<ScatterPoint> points{};  // points that are not finite are left out
  double width = 456.0;                // two fit beside each other on the page
  double height = 340.0;
};

[[nodiscard]] std::string to_svg(const ScatterChart& chart);

}  // namespace tern::report
