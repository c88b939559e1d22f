// Builds one HTML page that needs nothing else: no network, no fonts, no libraries, readable in thirty years. Style and
// the few lines of script for sorting tables are inside, and a content policy in the page forbids loading anything.
//
// Every text handed in is escaped here. In the texts marked "prose" a `code` span and **strong** words are understood.
// Not for arbitrary markup: the only raw thing taken is an SVG made by this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/table.hpp"

namespace tern::report {

/// One key figure in large type.
struct Card {
  std::string label;   // "Smallest without measurable loss"
  std::string value;   // "Q6_K"
  std::string detail;  // prose: "−58 % memory, Δ perplexity +0.01"
  Tone tone = Tone::plain;
};

/// An answer to one question of the reader, with its reason.
struct Verdict {
  std::string question;  // "For production"
  std::string choice;    // "Q8_0"
  std::string reason;    // prose
};

struct Figure {
  std::string svg;      // as to_svg(...) made it
  std::string caption;  // prose
};

/// One of several texts shown side by side; all are compared with the first.
struct TextBlock {
  std::string title;
  std::string text;
};

struct Fact {
  std::string name;
  std::string value;
};

class Page {
 public:
  /// `kicker` is a short line above the title ("Embedding sweep"), `lead` prose below it.
  explicit Page(std::string_view title, std::string_view kicker = "", std::string_view lead = "");

  /// A heading that also appears in the contents at the top (shown from three sections on).
  Page& section(std::string_view title);
  Page& subsection(std::string_view title);
  Page& paragraph(std::string_view prose);
  Page& bullets(const std::vector<std::string>& prose);
  /// A remark set apart; Tone::bad for a warning, Tone::good for reassurance.
  Page& note(std::string_view prose, Tone tone = Tone::plain);
  Page& cards(const std::vector<Card>& cards);
  Page& verdicts(const std::vector<Verdict>& verdicts);
  /// `caption` is prose. Columns sort when their head is clicked, by Cell::value where there is one.
  Page& table(const Table& table, std::string_view caption = "");
  /// One figure over the full width, or several beside each other where the window is wide enough.
  Page& figures(const std::vector<Figure>& figures);
  /// `prompt` may be "": it is shown before each text. The first block is the reference; in the others the first word
  /// that differs is marked and the caption says after how many characters.
  Page& side_by_side(std::string_view prompt, const std::vector<TextBlock>& blocks);
  Page& facts(const std::vector<Fact>& facts);
  Page& preformatted(std::string_view text);
  /// How the page was made; prose, at the end of the page.
  Page& footer(std::string_view prose);

  [[nodiscard]] std::string html() const;

 private:
  struct Heading {
    std::string id;
    std::string title;
  };

  std::string title_, kicker_, lead_, body_, footer_;
  std::vector<Heading> headings_;
};

}  // namespace tern::report
