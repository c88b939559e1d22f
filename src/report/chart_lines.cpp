// Implementation of chart_lines.hpp.
#include "report/chart_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "report/chart_frame.hpp"
#include "report/number.hpp"

namespace tern::report {
namespace {

constexpr double kLabelStep = 15.0;

struct EndLabel {
  std::size_t series;
  Point2 at;
  double y;  // where the text goes
};

/// Pushes labels apart downwards, then back up from the lower edge.
void spread(std::vector<EndLabel>& labels, double top, double bottom) {
  std::ranges::sort(labels, {}, [](const EndLabel& label) { return std::pair{label.at.y, label.series}; });
  double least = top;
  for (auto& label : labels) {
    label.y = std::max(label.at.y, least);
    least = label.y + kLabelStep;
  }
  double most = bottom;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    label->y = std::min(label->y, most);
    most = label->y - kLabelStep;
  }
}

}  // namespace

std::string to_svg(const LineChart& chart) {
  std::vector<double> xs;
  std::vector<double> ys;
  double names = 0.0;
  for (const auto& series : chart.series) {
    TERN_CHECK(series.low.size() == series.high.size());
    TERN_CHECK(series.low.empty() || series.low.size() == series.points.size());
    for (const auto& point : series.points) {
      xs.push_back(point.x);
      ys.push_back(point.y);
    }
    ys.insert(ys.end(), series.low.begin(), series.low.end());
    ys.insert(ys.end(), series.high.begin(), series.high.end());
    names = std::max(names, text_width(series.name));
  }
  const auto frame =
      make_frame(make_axis(xs, {.logarithmic = chart.log_x, .include_zero = false, .padding = 0.02}),
                 make_axis(ys, {.logarithmic = chart.log_y, .include_zero = chart.y_from_zero, .padding = 0.05}),
                 chart.width, chart.height, 12.0, 24.0 + names);
  Svg svg(chart.width, chart.height, chart.description);
  draw_frame(svg, frame, chart.x_title, chart.y_title);

  std::vector<EndLabel> labels;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const auto& series = chart.series[s];
    std::vector<Point2> line;
    std::vector<Point2> upper;
    std::vector<Point2> lower;
    svg.open_group(series.name, series_class(s));
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const auto& point = series.points[i];
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
      line.push_back(frame.at(point.x, point.y));
      if (series.low.empty() || !std::isfinite(series.low[i]) || !std::isfinite(series.high[i])) continue;
      upper.push_back(frame.at(point.x, series.high[i]));
      lower.push_back(frame.at(point.x, series.low[i]));
    }
    upper.insert(upper.end(), lower.rbegin(), lower.rend());
    svg.path(upper, "band");
    svg.path(line, "stroke");
    svg.close_group();
    if (series.markers) {
      for (const auto& point : series.points) {
        if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
        svg.open_group(fmt::format("{}: {} at {}", series.name, significant(point.y, 5), significant(point.x, 5)),
                       series_class(s));
        svg.circle(frame.at(point.x, point.y), 4, "dot");
        svg.close_group();
      }
    }
    if (!line.empty()) labels.push_back({s, line.back(), line.back().y});
  }
  spread(labels, frame.plot.top + 6, frame.plot.bottom - 2);
  for (const auto& label : labels) {
    svg.open_group("", series_class(label.series));
    svg.line({label.at.x + 6, label.at.y}, {frame.plot.right + 8, label.y}, "leader");
    svg.text({frame.plot.right + 12, label.y + 4}, chart.series[label.series].name, "");
    svg.close_group();
  }
  return std::move(svg).finish();
}

}  // namespace tern::report
