// Implementation of html.hpp.
#include "report/html.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/words.hpp"
#include "report/escape.hpp"
#include "report/html_style.hpp"
#include "report/svg.hpp"
#include "report/text_difference.hpp"

namespace tern::report {
namespace {

std::string_view tone_class(Tone tone) {
  static constexpr std::array<std::string_view, 5> kNames{"", "good", "bad", "muted", "strong"};
  return kNames[static_cast<std::size_t>(tone)];
}

/// Escapes, then turns `x` into code and **x** into strong. A mark without its partner stays as it is.
std::string prose(std::string_view text) {
  const std::string safe = escape(true_minus(text));
  std::string out;
  for (std::size_t at = 0; at < safe.size();) {
    const std::string_view rest = std::string_view(safe).substr(at);
    const std::string_view mark = rest.starts_with("**") ? "**" : rest.starts_with("`") ? "`" : "";
    const std::size_t end = mark.empty() ? std::string_view::npos : rest.find(mark, mark.size());
    if (end == std::string_view::npos || end == mark.size()) {
      out += rest.front();
      ++at;
      continue;
    }
    const std::string_view tag = mark == "`" ? "code" : "strong";
    out += fmt::format("<{0}>{1}</{0}>", tag, rest.substr(mark.size(), end - mark.size()));
    at += end + mark.size();
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return value.empty() ? std::string{} : fmt::format(" {}=\"{}\"", name, escape(value));
}

std::string classes(std::string_view first, std::string_view second) {
  const std::string_view gap = first.empty() || second.empty() ? "" : " ";
  const auto joined = fmt::format("{}{}{}", first, gap, second);
  return attribute("class", joined);
}

std::string cell_html(const Cell& cell, Align align) {
  std::string value;
  if (cell.value && std::isfinite(*cell.value)) value = fmt::format(" data-v=\"{}\"", *cell.value);
  return fmt::format("<td{}{}{}>{}</td>", classes(align == Align::right ? "right" : "", tone_class(cell.tone)), value,
                     attribute("title", cell.note), escape(true_minus(cell.text)));
}

std::string row_html(const Table& table, const Row& row, bool first) {
  std::string out = row.starts_group && !first ? "<tr class=\"group\">" : "<tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c == 1 && !row.instead_of_cells.empty()) {
      out += fmt::format("<td class=\"reason\" colspan=\"{}\">{}</td>", table.columns.size() - 1,
                         escape(row.instead_of_cells));
      break;
    }
    out += cell_html(c < row.cells.size() ? row.cells[c] : Cell{}, table.columns[c].align);
  }
  return out + "</tr>\n";
}

}  // namespace

Page::Page(std::string_view title, std::string_view kicker, std::string_view lead)
    : title_(title), kicker_(kicker), lead_(lead) {}

Page& Page::section(std::string_view title) {
  const auto id = fmt::format("section-{}", headings_.size() + 1);
  body_ += fmt::format("<h2 id=\"{}\">{}</h2>\n", id, escape(title));
  headings_.push_back({id, std::string(title)});
  return *this;
}

Page& Page::subsection(std::string_view title) {
  body_ += fmt::format("<h3>{}</h3>\n", escape(title));
  return *this;
}

Page& Page::paragraph(std::string_view text) {
  body_ += fmt::format("<p>{}</p>\n", prose(text));
  return *this;
}

Page& Page::bullets(const std::vector<std::string>& items) {
  body_ += "<ul class=\"prose\">\n";
  for (const auto& item : items) body_ += fmt::format("<li>{}</li>\n", prose(item));
  body_ += "</ul>\n";
  return *this;
}

Page& Page::note(std::string_view text, Tone tone) {
  body_ += fmt::format("<div{}>{}</div>\n", classes("note", tone_class(tone)), prose(text));
  return *this;
}

Page& Page::cards(const std::vector<Card>& cards) {
  body_ += "<div class=\"cards\">\n";
  for (const auto& card : cards) {
    body_ += fmt::format(
        "<div{}><div class=\"label\">{}</div><div class=\"value\">{}</div><div class=\"detail\">{}</div></div>\n",
        classes("card", tone_class(card.tone)), escape(card.label), escape(true_minus(card.value)), prose(card.detail));
  }
  body_ += "</div>\n";
  return *this;
}

Page& Page::verdicts(const std::vector<Verdict>& verdicts) {
  body_ += "<dl class=\"verdicts\">\n";
  for (const auto& verdict : verdicts) {
    body_ += fmt::format("<div><dt>{}</dt><dd class=\"choice\">{}</dd><dd>{}</dd></div>\n", escape(verdict.question),
                         escape(verdict.choice), prose(verdict.reason));
  }
  body_ += "</dl>\n";
  return *this;
}

Page& Page::table(const Table& table, std::string_view caption) {
  body_ += "<div class=\"scroll\"><table>\n";
  if (!caption.empty()) body_ += fmt::format("<caption>{}</caption>\n", prose(caption));
  body_ += "<thead><tr>";
  for (const auto& column : table.columns) {
    body_ += fmt::format("<th scope=\"col\"{}{}>{}</th>", classes(column.align == Align::right ? "right" : "", ""),
                         attribute("title", column.note), escape(column.title));
  }
  body_ += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < table.rows.size(); ++i) body_ += row_html(table, table.rows[i], i == 0);
  body_ += "</tbody></table></div>\n";
  return *this;
}

Page& Page::figures(const std::vector<Figure>& figures) {
  if (figures.size() > 1) body_ += "<div class=\"figures\">\n";
  for (const auto& figure : figures) {
    body_ += fmt::format("<figure>\n{}", figure.svg);
    if (!figure.caption.empty()) body_ += fmt::format("<figcaption>{}</figcaption>\n", prose(figure.caption));
    body_ += "</figure>\n";
  }
  if (figures.size() > 1) body_ += "</div>\n";
  return *this;
}

Page& Page::side_by_side(std::string_view prompt, const std::vector<TextBlock>& blocks) {
  body_ += "<div class=\"texts\">\n";
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& block = blocks[i];
    const auto difference = first_difference(blocks.front().text, block.text);
    std::string how = "the reference";
    if (i > 0) {
      how = difference.equal ? fmt::format("the same as {}, to the last character", blocks.front().title)
                             : fmt::format("differs from {} after {} characters", blocks.front().title,
                                           with_separators(difference.same_characters));
    }
    body_ += fmt::format("<div class=\"text\"><h4>{}</h4><p class=\"same-as\">{}</p><blockquote>", escape(block.title),
                         escape(how));
    if (!prompt.empty()) body_ += fmt::format("<span class=\"prompt\">{}</span>", escape(prompt));
    body_ += escape(difference.same);
    if (!difference.equal) {
      const std::string shown = difference.word.empty() ? "(ends here)" : escape(difference.word);
      body_ += fmt::format("<mark>{}</mark><span class=\"rest\">{}</span>", shown, escape(difference.rest));
    }
    body_ += "</blockquote></div>\n";
  }
  body_ += "</div>\n";
  return *this;
}

Page& Page::facts(const std::vector<Fact>& facts) {
  body_ += "<dl class=\"facts\">\n";
  for (const auto& fact : facts) {
    body_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape(fact.name), prose(fact.value));
  }
  body_ += "</dl>\n";
  return *this;
}

Page& Page::preformatted(std::string_view text) {
  body_ += fmt::format("<pre>{}</pre>\n", escape(text));
  return *this;
}

Page& Page::footer(std::string_view text) {
  footer_ += fmt::format("<p>{}</p>\n", prose(text));
  return *this;
}

std::string Page::html() const {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'\">\n";
  out += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<header>\n", escape(title_),
                     page_style());
  if (!kicker_.empty()) out += fmt::format("<p class=\"kicker\">{}</p>\n", escape(kicker_));
  out += fmt::format("<h1>{}</h1>\n", escape(title_));
  if (!lead_.empty()) out += fmt::format("<p class=\"lead\">{}</p>\n", prose(lead_));
  if (headings_.size() >= 3) {
    out += "<nav aria-label=\"Contents\">";
    for (const auto& heading : headings_) {
      out += fmt::format("<a href=\"#{}\">{}</a>\n", heading.id, escape(heading.title));
    }
    out += "</nav>\n";
  }
  out += "</header>\n";
  out += body_;
  if (!footer_.empty()) out += fmt::format("<footer>\n{}</footer>\n", footer_);
  out += fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", page_script());
  return out;
}

}  // namespace tern::report
