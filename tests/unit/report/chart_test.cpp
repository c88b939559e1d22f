#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "report/axis.hpp"
#include "report/chart_forest.hpp"
#include "report/chart_lines.hpp"
#include "report/chart_scatter.hpp"
#include "report/label_layout.hpp"
#include "report/pareto.hpp"
#include "tests/unit/report/xml.hpp"

namespace tern::report {
namespace {

using test::xml_fault;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> out;
  for (const auto& tick : axis.ticks) out.push_back(tick.label);
  return out;
}

TEST(XmlJudge, SeesWhatIsWrong) {
  EXPECT_EQ(xml_fault("<a b=\"1\"><c/>x &amp; y</a>"), "");
  EXPECT_NE(xml_fault("<a><b></a></b>"), "");
  EXPECT_NE(xml_fault("<a>x & y</a>"), "");
  EXPECT_NE(xml_fault("<a b=1/>"), "");
  EXPECT_NE(xml_fault("<a b=\"1\" b=\"2\"/>"), "");
  EXPECT_NE(xml_fault("<a>"), "");
  EXPECT_NE(xml_fault("<a>1 < 2</a>"), "");
}

TEST(Axis, TicksAreRoundNumbersInsideTheRange) {
  EXPECT_EQ(labels(make_axis({0.0, 10.0})), (std::vector<std::string>{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(labels(make_axis({17.1, 18.76})), (std::vector<std::string>{"17.5", "18.0", "18.5"}));
  EXPECT_EQ(labels(make_axis({-0.02, 0.03})),
            (std::vector<std::string>{"-0.02", "-0.01", "0.00", "0.01", "0.02", "0.03"}));
  EXPECT_EQ(labels(make_axis({0.0, 50000.0})).back(), "50,000");
  for (const double high : {1e-9, 0.37, 1.0, 99.0, 1e6, 3e14}) {
    const auto axis = make_axis({0.0, high});
    EXPECT_GE(axis.ticks.size(), 3u) << high;
    EXPECT_LE(axis.ticks.size(), 9u) << high;
    for (const auto& tick : axis.ticks) {
      EXPECT_GE(tick.value, axis.low);
      EXPECT_LE(tick.value, axis.high * (1 + 1e-9));
    }
  }
}

TEST(Axis, LogarithmicTicksStepByDecades) {
  const auto axis = make_axis({1.0, 10000.0}, {.logarithmic = true});
  EXPECT_TRUE(axis.logarithmic);
  EXPECT_EQ(labels(axis), (std::vector<std::string>{"1", "10", "100", "1000", "10,000"}));
  EXPECT_NEAR(axis.position(100.0), 0.5, 1e-12);
  EXPECT_FALSE(make_axis({0.0, 5.0}, {.logarithmic = true}).logarithmic);    // zero has no logarithm
  EXPECT_FALSE(make_axis({17.1, 17.2}, {.logarithmic = true}).logarithmic);  // nothing to gain
}

TEST(Axis, EqualEmptyAndBrokenValuesStillGiveAnAxis) {
  for (const auto& values : {std::vector<double>{}, {3.0}, {0.0, 0.0}, {kNan, kInfinity}, {-5.0, -5.0}, {1e-300}}) {
    const auto axis = make_axis(values);
    EXPECT_LT(axis.low, axis.high);
    EXPECT_GE(axis.ticks.size(), 2u);
    for (const double value : values) {
      if (std::isfinite(value)) {
        EXPECT_GE(axis.position(value), 0.0);
        EXPECT_LE(axis.position(value), 1.0);
      }
    }
  }
}

TEST(Pareto, KeepsWhatIsNotBeaten) {
  const std::vector<Choice> choices{{1, 5}, {2, 3}, {3, 4}, {4, 1}, {2, 3}, {kNan, 0}};
  EXPECT_EQ(pareto_front(choices, Better::lower, Better::lower), (std::vector<std::size_t>{0, 1, 3}));
  EXPECT_EQ(pareto_front(choices, Better::higher, Better::lower), (std::vector<std::size_t>{3}));
  EXPECT_EQ(pareto_front(choices, Better::higher, Better::higher), (std::vector<std::size_t>{0, 2, 3}));
  EXPECT_TRUE(pareto_front({}, Better::lower, Better::lower).empty());
}

TEST(LabelLayout, KeepsLabelsApartAndInside) {
  std::vector<LabelWish> wishes;
  for (int i = 0; i < 6; ++i) wishes.push_back({{200.0 + 6 * i, 150.0 + 3 * i}, "Q4_K_M"});
  wishes.push_back({{399.0, 2.0}, "corner"});
  const Box bounds{0, 0, 400, 300};
  const auto placed = place_labels(wishes, {}, bounds);
  ASSERT_EQ(placed.size(), wishes.size());
  for (std::size_t i = 0; i < placed.size(); ++i) {
    EXPECT_GE(placed[i].box.left, bounds.left);
    EXPECT_LE(placed[i].box.right, bounds.right);
    EXPECT_GE(placed[i].box.top, bounds.top);
    for (std::size_t k = 0; k < i; ++k) EXPECT_EQ(placed[i].box.overlap(placed[k].box), 0.0) << i << " " << k;
  }
}

ScatterChart scatter() {
  ScatterChart chart{.description = "a < b & \"c\"", .x_title = "size, MB", .y_title = "perplexity"};
  chart.log_x = true;
  chart.points = {{.x = 500, .y = 17.1, .label = "F32", .reference = true},
                  {.x = 130, .y = 17.12, .label = "Q8_0", .y_range = stats::Interval{17.1, 17.14}},
                  {.x = 60, .y = 18.7, .label = "<Q3_K>", .x_range = stats::Interval{55, 66}},
                  {.x = kNan, .y = 1, .label = "gone"},
                  {.x = 1, .y = kInfinity, .label = "gone"}};
  return chart;
}

TEST(ScatterChart, IsWellFormedAndNamesItsPoints) {
  const auto svg = to_svg(scatter());
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_NE(svg.find("&lt;Q3_K&gt;"), std::string::npos);
  EXPECT_NE(svg.find("a &lt; b &amp; &quot;c&quot;"), std::string::npos);
  EXPECT_NE(svg.find("class=\"front\""), std::string::npos);
  EXPECT_EQ(svg.find("gone"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(ScatterChart, HigherAndSmallerValuesLieWhereTheyShould) {
  ScatterChart chart{.description = "d", .x_title = "x", .y_title = "y"};
  chart.points = {{.x = 1, .y = 1, .label = "a"}, {.x = 2, .y = 2, .label = "b"}};
  const auto svg = to_svg(chart);
  const auto number_after = [&](std::size_t from, std::string_view key) {
    return std::stod(svg.substr(svg.find(key, from) + key.size(), 10));
  };
  const auto a = svg.find("<title>a</title>");
  const auto b = svg.find("<title>b</title>");
  EXPECT_LT(number_after(a, "cx=\""), number_after(b, "cx=\""));
  EXPECT_GT(number_after(a, "cy=\""), number_after(b, "cy=\""));
}

TEST(Charts, WithoutDataAreStillPictures) {
  EXPECT_EQ(xml_fault(to_svg(ScatterChart{})), "");
  EXPECT_EQ(xml_fault(to_svg(LineChart{})), "");
  EXPECT_EQ(xml_fault(to_svg(ForestChart{})), "");
}

TEST(LineChart, IsWellFormedWithBandsAndGaps) {
  LineChart chart{.description = "d", .x_title = "threads", .y_title = "tokens/s"};
  chart.series = {{.name = "A&B", .points = {{1, 10}, {2, kNan}, {4, 30}}, .low = {9, 1, 28}, .high = {11, 2, 33}},
                  {.name = "C", .points = {{1, 11}, {4, 30}}}};
  const auto svg = to_svg(chart);
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_NE(svg.find(">A&amp;B</text>"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(ForestChart, StretchesTheAxisOnlyWhereDifferencesSpanFar) {
  ForestChart chart{.description = "d", .x_title = "difference", .right_hint = "worse"};
  chart.groups = {{"Text <1>",
                   {{.label = "Q8_0", .estimate = 0.01, .interval = stats::Interval{0.005, 0.015}},
                    {.label = "Q6_K", .estimate = 0.02, .interval = stats::Interval{0.01, 0.03}}}}};
  EXPECT_EQ(to_svg(chart).find("compressed"), std::string::npos);
  chart.groups[0].rows.push_back({.label = "Q3_K", .estimate = 1.7, .interval = stats::Interval{1.6, 1.8}});
  chart.groups[0].rows.push_back({.label = "one chunk", .estimate = -0.4, .text = "-0.4000, no interval"});
  chart.groups[0].rows.push_back({.label = "broken", .estimate = kInfinity});
  const auto svg = to_svg(chart);
  EXPECT_NE(svg.find("compressed away from zero"), std::string::npos);
  EXPECT_NE(svg.find("−0.4000, no interval"), std::string::npos);
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace tern::report
