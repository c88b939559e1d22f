// One table, four ways to show it: text for the terminal, Markdown, CSV, and HTML (page.hpp). Not a spreadsheet: cells
// hold finished text, plus an optional number for sorting and CSV.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tern::report {

/// What a cell says beside its text. Colour never says it alone: the text must make sense without.
enum class Tone { plain, good, bad, muted, strong };

enum class Align { left, right };

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
  std::optional<double> value;  // for sorting the HTML table, and in CSV instead of the text
  std::string note;             // shown when pointing at the cell on the page; "" for none

  Cell() = default;
  Cell(std::string cell_text, Tone cell_tone = Tone::plain, std::optional<double> cell_value = std::nullopt,
       std::string cell_note = {})
      : text(std::move(cell_text)), tone(cell_tone), value(cell_value), note(std::move(cell_note)) {}
  Cell(const char* cell_text) : text(cell_text) {}
};

struct Column {
  std::string title;
  Align align = Align::right;
  std::string note{};  // as Cell::note, for the head of the column
};

struct Row {
  std::vector<Cell> cells;         // as many as there are columns; missing ones are empty
  bool starts_group = false;       // a line above it
  std::string instead_of_cells{};  // not "": one text over all columns but the first (why there are no figures)
};

struct Table {
  std::vector<Column> columns;
  std::vector<Row> rows;

  void add(std::vector<Cell> cells, bool starts_group = false) { rows.push_back({std::move(cells), starts_group}); }
  /// A row that has a name but no figures, and the reason.
  void add_reason(Cell name, std::string reason) {
    rows.push_back({.cells = {std::move(name)}, .starts_group = false, .instead_of_cells = std::move(reason)});
  }
};

/// Aligned text with a rule below the head, each line ended by '\n'. `colour` puts in ANSI colours for tones: pass
/// whether the output is a terminal that wants them (NO_COLOR unset). A reason is not counted in the column widths.
[[nodiscard]] std::string to_text(const Table& table, bool colour = false);

/// A GitHub-flavoured Markdown table; pipes, line breaks and markup characters in cells are escaped.
[[nodiscard]] std::string to_markdown(const Table& table);

/// CSV by RFC 4180 with '\n' line ends. A cell with a value gives the value with all its digits. A row with a reason
/// has it in its second column.
[[nodiscard]] std::string to_csv(const Table& table);

}  // namespace tern::report
