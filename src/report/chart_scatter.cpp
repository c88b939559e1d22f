// Implementation of chart_scatter.hpp.
#include "report/chart_scatter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "report/chart_frame.hpp"

namespace tern::report {
namespace {

constexpr double kWhiskerCap = 3.5;

std::vector<double> extents(const std::vector<ScatterPoint>& points, double ScatterPoint::* value,
                            std::optional<stats::Interval> ScatterPoint::* range) {
  std::vector<double> all;
  for (const auto& point : points) {
    all.push_back(point.*value);
    if (const auto& interval = point.*range) all.insert(all.end(), {interval->low, interval->high});
  }
  return all;
}

void draw_whiskers(Svg& svg, const ChartFrame& frame, const ScatterPoint& point) {
  if (const auto& range = point.y_range) {
    const auto low = frame.at(point.x, range->low);
    const auto high = frame.at(point.x, range->high);
    svg.line(low, high, "whisker");
    for (const auto& end : {low, high}) svg.line({end.x - kWhiskerCap, end.y}, {end.x + kWhiskerCap, end.y}, "whisker");
  }
  if (const auto& range = point.x_range) {
    const auto low = frame.at(range->low, point.y);
    const auto high = frame.at(range->high, point.y);
    svg.line(low, high, "whisker");
    for (const auto& end : {low, high}) svg.line({end.x, end.y - kWhiskerCap}, {end.x, end.y + kWhiskerCap}, "whisker");
  }
}

std::vector<Box> whisker_boxes(const ChartFrame& frame, const std::vector<ScatterPoint>& points) {
  std::vector<Box> boxes;
  for (const auto& point : points) {
    if (const auto& range = point.y_range) {
      const auto low = frame.at(point.x, range->low);
      boxes.push_back({low.x - 4, frame.at(point.x, range->high).y, low.x + 4, low.y});
    }
    if (const auto& range = point.x_range) {
      const auto low = frame.at(range->low, point.y);
      boxes.push_back({low.x, low.y - 4, frame.at(range->high, point.y).x, low.y + 4});
    }
  }
  return boxes;
}

/// Small boxes along a line, so that labels keep off it.
void add_boxes_along(std::vector<Box>& boxes, Point2 from, Point2 to) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  for (double done = 0.0; done < length; done += 6.0) {
    const double x = from.x + (to.x - from.x) * done / length;
    const double y = from.y + (to.y - from.y) * done / length;
    boxes.push_back({x - 2, y - 2, x + 2, y + 2});
  }
}

/// Draws the front of every series, adds it to `obstacles` and returns which points are on one.
std::set<std::size_t> draw_fronts(Svg& svg, const ChartFrame& frame, const ScatterChart& chart,
                                  const std::vector<ScatterPoint>& points, std::vector<Box>& obstacles) {
  std::set<std::size_t> on_front;
  for (std::size_t s = 0; s < std::max<std::size_t>(1, chart.series.size()); ++s) {
    std::vector<Choice> choices;
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (!chart.series.empty() && points[i].series != s) continue;
      choices.push_back({points[i].x, points[i].y});
      index.push_back(i);
    }
    std::vector<Point2> line;
    for (const std::size_t k : pareto_front(choices, chart.better_x, chart.better_y)) {
      on_front.insert(index[k]);
      line.push_back(frame.at(choices[k].x, choices[k].y));
    }
    if (!chart.front || line.size() < 2) continue;
    svg.path(line, "front");
    for (std::size_t i = 1; i < line.size(); ++i) add_boxes_along(obstacles, line[i - 1], line[i]);
  }
  return on_front;
}

/// The corner where draw_hint writes.
Box hint_box(const ChartFrame& frame, const ScatterChart& chart) {
  const double left = chart.better_x == Better::higher ? frame.plot.right - 62 : frame.plot.left;
  const double top = chart.better_y == Better::higher ? frame.plot.top : frame.plot.bottom - 22;
  return {left, top, left + 62, top + 22};
}

void draw_hint(Svg& svg, const ChartFrame& frame, const ScatterChart& chart) {
  const bool right = chart.better_x == Better::higher;
  const bool up = chart.better_y == Better::higher;
  const std::string text = right ? (up ? "better ↗" : "better ↘") : (up ? "↖ better" : "↙ better");
  svg.text({right ? frame.plot.right - 6 : frame.plot.left + 6, up ? frame.plot.top + 16 : frame.plot.bottom - 8}, text,
           "quiet halo", right ? Anchor::end : Anchor::start);
}

void draw_legend(Svg& svg, const ScatterChart& chart, double left) {
  double x = left;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    svg.open_group("", series_class(s));
    svg.circle({x + 5, 14}, 5, "dot");
    svg.text({x + 15, 18}, chart.series[s], "");
    svg.close_group();
    x += 36 + text_width(chart.series[s]);
  }
}

}  // namespace

std::string to_svg(const ScatterChart& chart) {
  std::vector<ScatterPoint> points;
  for (const auto& point : chart.points) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) points.push_back(point);
  }
  const bool legend = chart.series.size() > 1;
  const auto frame = make_frame(make_axis(extents(points, &ScatterPoint::x, &ScatterPoint::x_range),
                                          {.logarithmic = chart.log_x, .include_zero = false, .padding = 0.09}),
                                make_axis(extents(points, &ScatterPoint::y, &ScatterPoint::y_range),
                                          {.logarithmic = chart.log_y, .include_zero = false, .padding = 0.09}),
                                chart.width, chart.height, legend ? 34.0 : 12.0, 14.0);
  Svg svg(chart.width, chart.height, chart.description);
  draw_frame(svg, frame, chart.x_title, chart.y_title);
  draw_hint(svg, frame, chart);
  if (legend) draw_legend(svg, chart, frame.plot.left);
  auto obstacles = whisker_boxes(frame, points);
  obstacles.push_back(hint_box(frame, chart));
  const auto on_front = draw_fronts(svg, frame, chart, points, obstacles);

  std::vector<LabelWish> wishes;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& point = points[i];
    const auto at = frame.at(point.x, point.y);
    svg.open_group(point.hover.empty() ? point.label : point.hover, series_class(point.series));
    draw_whiskers(svg, frame, point);
    if (point.reference) {
      svg.diamond(at, 7.5, on_front.contains(i) ? "dot" : "ring");
    } else {
      svg.circle(at, 5.5, on_front.contains(i) ? "dot" : "ring");
    }
    svg.close_group();
    wishes.push_back({at, point.label});
  }
  const auto labels = place_labels(wishes, obstacles, frame.plot);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& box = labels[i].box;
    const double middle = (box.left + box.right) / 2;
    if (labels[i].leader) {
      const Point2 end{std::clamp(wishes[i].at.x, box.left, box.right),
                       std::clamp(wishes[i].at.y, box.top, box.bottom)};
      svg.line(wishes[i].at, end, "leader");
    }
    svg.text({middle, box.bottom - 3}, wishes[i].text, "halo", Anchor::middle);
  }
  return std::move(svg).finish();
}

}  // namespace tern::report
