// Implementation of svg.hpp.
#include "report/svg.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "report/display_width.hpp"
#include "report/escape.hpp"

namespace tern::report {
namespace {

constexpr std::string_view kStyle = R"(<style>
.tern-chart{--ink:#1d2329;--quiet:#66707b;--grid:#e4e7ea;--paper:#fff;--good:#00795a;--bad:#c2410c;
--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b2558e;--s4:#b07d00;--s5:#3a9bd1;
font:12px ui-sans-serif,system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
@media screen and (prefers-color-scheme:dark){.tern-chart{--ink:#e6e8ea;--quiet:#98a2ad;--grid:#31373d;--paper:#16191c;
--good:#3ecf9f;--bad:#ff8a4c;--s0:#58b4ea;--s1:#ff8a4c;--s2:#3ecf9f;--s3:#e39bc6;--s4:#e6b94a;--s5:#9ad4f5}}
.tern-chart text{fill:var(--ink)}
.tern-chart .quiet{fill:var(--quiet)}
.tern-chart .head{font-weight:650}
.tern-chart .good-text{fill:var(--good)}
.tern-chart .bad-text{fill:var(--bad)}
.tern-chart .grid{stroke:var(--grid);stroke-width:1}
.tern-chart .axis{stroke:var(--quiet);stroke-width:1}
.tern-chart .zero{stroke:var(--ink);stroke-width:1.2}
.tern-chart .leader{stroke:var(--quiet);stroke-width:.7}
.tern-chart .front{fill:none;stroke:var(--quiet);stroke-width:1.4;stroke-dasharray:5 4}
.tern-chart .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3.5px;stroke-linejoin:round}
.tern-chart .band{fill:var(--hue);opacity:.15;stroke:none}
.tern-chart .stroke{fill:none;stroke:var(--hue);stroke-width:2;stroke-linejoin:round}
.tern-chart .whisker{fill:none;stroke:var(--hue);stroke-width:1.6}
.tern-chart .dot{fill:var(--hue);stroke:var(--paper);stroke-width:1.5}
.tern-chart .ring{fill:var(--paper);stroke:var(--hue);stroke-width:2}
.tern-chart .series-0{--hue:var(--s0)}.tern-chart .series-1{--hue:var(--s1)}.tern-chart .series-2{--hue:var(--s2)}
.tern-chart .series-3{--hue:var(--s3)}.tern-chart .series-4{--hue:var(--s4)}.tern-chart .series-5{--hue:var(--s5)}
.tern-chart .tone-good{--hue:var(--good)}.tern-chart .tone-bad{--hue:var(--bad)}.tern-chart .tone-quiet{--hue:var(--quiet)}
.tern-chart g:hover>.dot,.tern-chart g:hover>.ring{stroke:var(--ink)}
</style>
)";

std::string_view anchor_name(Anchor anchor) {
  static constexpr std::array<std::string_view, 3> kNames{"start", "middle", "end"};
  return kNames[static_cast<std::size_t>(anchor)];
}

/// Pixels with at most two decimals; what is not finite cannot be drawn and must not break the file.
std::string pixels(double value) {
  if (!std::isfinite(value)) return "0";
  auto text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view description) {
  out_ = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" class="tern-chart" viewBox="0 0 {0} {1}" width="{0}" height="{1}" )"
      R"(style="min-width:{2}px" role="img" aria-label="{3}">{4})",
      pixels(width), pixels(height), pixels(0.75 * width), escape(description), "\n");
  out_ += kStyle;
}

void Svg::line(Point2 from, Point2 to, std::string_view css_class) {
  out_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", css_class, pixels(from.x),
                      pixels(from.y), pixels(to.x), pixels(to.y));
}

void Svg::path(const std::vector<Point2>& points, std::string_view css_class) {
  if (points.empty()) return;
  out_ += fmt::format("<path class=\"{}\" d=\"", css_class);
  char step = 'M';
  for (const auto& point : points) {
    out_ += fmt::format("{}{} {}", step, pixels(point.x), pixels(point.y));
    step = 'L';
  }
  out_ += "\"/>\n";
}

void Svg::circle(Point2 centre, double radius, std::string_view css_class) {
  out_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", css_class, pixels(centre.x),
                      pixels(centre.y), pixels(radius));
}

void Svg::diamond(Point2 centre, double radius, std::string_view css_class) {
  path({{centre.x, centre.y - radius},
        {centre.x + radius, centre.y},
        {centre.x, centre.y + radius},
        {centre.x - radius, centre.y},
        {centre.x, centre.y - radius}},
       css_class);
}

void Svg::rectangle(Point2 corner, double width, double height, std::string_view css_class) {
  out_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", css_class,
                      pixels(corner.x), pixels(corner.y), pixels(width), pixels(height));
}

void Svg::text(Point2 at, std::string_view text, std::string_view css_class, Anchor anchor) {
  out_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", css_class, pixels(at.x),
                      pixels(at.y), anchor_name(anchor), escape(text));
}

void Svg::vertical_text(Point2 at, std::string_view text, std::string_view css_class) {
  out_ +=
      fmt::format("<text class=\"{}\" transform=\"translate({} {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                  css_class, pixels(at.x), pixels(at.y), escape(text));
}

void Svg::open_group(std::string_view hover, std::string_view css_class) {
  out_ += css_class.empty() ? std::string("<g>") : fmt::format("<g class=\"{}\">", css_class);
  if (!hover.empty()) out_ += fmt::format("<title>{}</title>", escape(hover));
  out_ += '\n';
  ++open_groups_;
}

void Svg::close_group() {
  TERN_CHECK(open_groups_ > 0);
  out_ += "</g>\n";
  --open_groups_;
}

std::string Svg::finish() && {
  TERN_CHECK(open_groups_ == 0);
  out_ += "</svg>\n";
  return std::move(out_);
}

std::string series_class(std::size_t n) {
  return fmt::format("series-{}", n % 6);
}

double text_width(std::string_view text, double font_size) {
  return 0.57 * font_size * static_cast<double>(display_width(text));
}

std::string true_minus(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool before_digit = i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    const bool at_start = i == 0 || text[i - 1] == ' ' || text[i - 1] == '[' || text[i - 1] == '(';
    if (text[i] == '-' && before_digit && at_start) {
      out += "−";
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace tern::report
