#include "report/html.hpp"

#include <gtest/gtest.h>

#include "report/chart_scatter.hpp"
#include "tests/unit/report/xml.hpp"

namespace tern::report {
namespace {

using test::xml_fault;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Every kind of element, each given text that would break out if it could.
Page evil_page() {
  const std::string evil = "</td><script>alert('x')</script>\"&\xff `a` **b**";
  Page page(evil, evil, evil);
  page.section(evil).subsection(evil).paragraph(evil).bullets({evil, evil}).note(evil, Tone::bad);
  page.section("two").cards({{evil, evil, evil, Tone::good}}).verdicts({{evil, evil, evil}});
  Table table;
  table.columns = {{evil, Align::left, evil}, {evil}};
  table.add({Cell(evil, Tone::bad, 1.5, evil), Cell(evil)}, true);
  table.add_reason(evil, evil);
  page.section("three").table(table, evil).facts({{evil, evil}}).preformatted(evil).footer(evil);
  page.side_by_side(evil, {{evil, evil}, {evil, evil + evil}, {evil, "x"}});
  ScatterChart chart{.description = evil, .x_title = evil, .y_title = evil};
  chart.points = {{.x = 1, .y = 1, .label = evil, .hover = evil}};
  page.figures({{to_svg(chart), evil}, {to_svg(chart), evil}});
  return page;
}

TEST(Html, NoTextBreaksOutOfItsPlace) {
  const auto html = evil_page().html();
  EXPECT_EQ(xml_fault(html, true), "");
  EXPECT_FALSE(has(html, "<script>alert"));
  EXPECT_FALSE(has(html, "\xff"));
  EXPECT_TRUE(has(html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
}

TEST(Html, LoadsNothingFromAnywhere) {
  std::string html = evil_page().html();
  const std::string_view name_space = "http://www.w3.org/2000/svg";
  for (std::size_t at = html.find(name_space); at != std::string::npos; at = html.find(name_space)) {
    html.erase(at, name_space.size());
  }
  for (const std::string_view word : {"http:", "https:", " src=", "@import", "url(", "<link"}) {
    EXPECT_FALSE(has(html, word)) << word;
  }
  EXPECT_TRUE(has(html, "default-src 'none'"));
}

TEST(Html, ProseKnowsCodeAndStrongAndNothingElse) {
  const auto html = Page("t").paragraph("run `a < b` **now**, not *then* or `open or **open").html();
  EXPECT_TRUE(has(html, "<p>run <code>a &lt; b</code> <strong>now</strong>, not *then* or `open or **open</p>"));
}

TEST(Html, TablesCarryClassesNumbersAndReasons) {
  Table table;
  table.columns = {{"Format", Align::left}, {"Δ"}, {"p"}};
  table.add({Cell("Q3_K"), Cell("-1.67", Tone::bad, -1.6721), Cell("n/a")});
  table.add_reason("I2_S", "not ternary");
  const auto html = Page("t").table(table, "cap").html();
  EXPECT_TRUE(has(html, "<td class=\"right bad\" data-v=\"-1.6721\">−1.67</td>"));
  EXPECT_TRUE(has(html, "<td class=\"reason\" colspan=\"2\">not ternary</td>"));
  EXPECT_TRUE(has(html, "<caption>cap</caption>"));
}

TEST(Html, SideBySideMarksTheFirstDifference) {
  const auto html =
      Page("t").side_by_side("Once", {{"F32", " upon a time"}, {"Q8_0", " upon a time"}, {"Q3_K", " upon two"}}).html();
  EXPECT_TRUE(has(html, "the same as F32, to the last character"));
  EXPECT_TRUE(has(html, "differs from F32 after 6 characters"));
  EXPECT_TRUE(has(html, " upon <mark>two</mark>"));
}

TEST(Html, ContentsAppearFromThreeSectionsOn) {
  EXPECT_FALSE(has(Page("t").section("a").section("b").html(), "<nav"));
  const auto html = Page("t").section("a").section("b").section("c").html();
  EXPECT_TRUE(has(html, "<a href=\"#section-3\">c</a>"));
  EXPECT_TRUE(has(html, "<h2 id=\"section-3\">c</h2>"));
}

}  // namespace
}  // namespace tern::report
