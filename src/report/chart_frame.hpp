// What charts with two axes share: the frame, the grid, tick labels, axis titles, and the way from values to pixels.
#pragma once

#include <string>

#include "report/axis.hpp"
#include "report/label_layout.hpp"
#include "report/svg.hpp"

namespace tern::report {

struct ChartFrame {
  Box plot;  // pixels
  Axis x;
  Axis y;

  [[nodiscard]] Point2 at(double x_value, double y_value) const {
    return {plot.left + x.position(x_value) * (plot.right - plot.left),
            plot.bottom - y.position(y_value) * (plot.bottom - plot.top)};
  }
};

/// A frame in a picture of this size, with room for tick labels and titles and `right_margin` pixels at the right.
[[nodiscard]] ChartFrame make_frame(Axis x, Axis y, double width, double height, double top_margin,
                                    double right_margin);

/// Grid, tick labels and axis titles (which name the unit).
void draw_frame(Svg& svg, const ChartFrame& frame, const std::string& x_title, const std::string& y_title);

}  // namespace tern::report
