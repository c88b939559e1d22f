// Writes one SVG picture: shapes, text, groups with a hover title, all escaped, plus the style every chart shares.
// Not a chart: what is drawn where is the business of chart_*.cpp.
//
// Colours are CSS custom properties that follow the reader's light or dark preference and turn light on paper; the hues
// are Okabe and Ito's, which colour-blind readers tell apart. A picture works inside a page and as a file of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tern::report {

struct Point2 {
  double x = 0.0;
  double y = 0.0;
};

enum class Anchor { start, middle, end };

class Svg {
 public:
  /// Width and height in CSS pixels (the picture scales down with its column); `description` is read out instead of it.
  Svg(double width, double height, std::string_view description);

  void line(Point2 from, Point2 to, std::string_view css_class);
  void path(const std::vector<Point2>& points, std::string_view css_class);
  void circle(Point2 centre, double radius, std::string_view css_class);
  void diamond(Point2 centre, double radius, std::string_view css_class);
  void rectangle(Point2 corner, double width, double height, std::string_view css_class);
  void text(Point2 at, std::string_view text, std::string_view css_class, Anchor anchor = Anchor::start);
  void vertical_text(Point2 at, std::string_view text, std::string_view css_class);
  /// Everything until close_group belongs together and shows `hover` when pointed at ("" for nothing).
  void open_group(std::string_view hover, std::string_view css_class = "");
  void close_group();

  [[nodiscard]] std::string finish() &&;

 private:
  std::string out_;
  std::size_t open_groups_ = 0;
};

/// The CSS class "series-0" ... "series-5" of the n-th series; the hues repeat after six.
[[nodiscard]] std::string series_class(std::size_t n);

/// About how wide the text will be, in pixels, at this font size: enough to keep labels apart.
[[nodiscard]] double text_width(std::string_view text, double font_size = 12.0);

/// Numbers for eyes: a leading ASCII minus becomes a true one.
[[nodiscard]] std::string true_minus(std::string_view text);

}  // namespace tern::report
