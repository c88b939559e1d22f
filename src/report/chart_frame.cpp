// Implementation of chart_frame.hpp.
#include "report/chart_frame.hpp"

#include <algorithm>
#include <utility>

namespace tern::report {

ChartFrame make_frame(Axis x, Axis y, double width, double height, double top_margin, double right_margin) {
  double labels = 0.0;
  for (const auto& tick : y.ticks) labels = std::max(labels, text_width(tick.label));
  return {
      .plot = {34.0 + labels, top_margin, width - right_margin, height - 48.0}, .x = std::move(x), .y = std::move(y)};
}

void draw_frame(Svg& svg, const ChartFrame& frame, const std::string& x_title, const std::string& y_title) {
  const auto& plot = frame.plot;
  for (const auto& tick : frame.y.ticks) {
    const double y = frame.at(frame.x.low, tick.value).y;
    svg.line({plot.left, y}, {plot.right, y}, "grid");
    svg.text({plot.left - 8, y + 4}, true_minus(tick.label), "quiet", Anchor::end);
  }
  double free_from = -1e9;  // labels that would touch the one before are left out
  for (const auto& tick : frame.x.ticks) {
    const double x = frame.at(tick.value, frame.y.low).x;
    svg.line({x, plot.top}, {x, plot.bottom}, "grid");
    const double half = text_width(tick.label) / 2;
    if (x - half < free_from) continue;
    svg.text({x, plot.bottom + 18}, true_minus(tick.label), "quiet", Anchor::middle);
    free_from = x + half + 6;
  }
  svg.line({plot.left, plot.bottom}, {plot.right, plot.bottom}, "axis");
  svg.text({(plot.left + plot.right) / 2, plot.bottom + 40}, x_title, "", Anchor::middle);
  svg.vertical_text({14, (plot.top + plot.bottom) / 2}, y_title, "");
}

}  // namespace tern::report
