// Implementation of table.hpp: text, Markdown and CSV.
#include "report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "report/display_width.hpp"

namespace tern::report {
namespace {

constexpr std::string_view kGap = "  ";

std::string_view ansi(Tone tone) {
  static constexpr std::array<std::string_view, 5> kCodes{"", "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[1m"};
  return kCodes[static_cast<std::size_t>(tone)];
}

const Cell& cell_at(const Row& row, std::size_t column) {
  static const Cell kEmpty;
  return column < row.cells.size() ? row.cells[column] : kEmpty;
}

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t width = display_width(terminal_text(table.columns[c].title));
    for (const auto& row : table.rows) {
      if (c > 0 && !row.instead_of_cells.empty()) continue;
      width = std::max(width, display_width(terminal_text(cell_at(row, c).text)));
    }
    widths.push_back(width);
  }
  return widths;
}

/// Appends `text` padded to `width`; a left-aligned last column is not padded.
void append_padded(std::string& out, std::string_view text, std::size_t width, Align align, bool last,
                   std::string_view colour) {
  const auto clean = terminal_text(text);
  const std::string pad(width - std::min(width, display_width(clean)), ' ');
  if (align == Align::right) out += pad;
  if (!colour.empty() && !clean.empty()) {
    out += colour;
    out += clean;
    out += "\x1b[0m";
  } else {
    out += clean;
  }
  if (align == Align::left && !last) out += pad;
}

void append_rule(std::string& out, const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) total += width + kGap.size();
  for (std::size_t i = kGap.size(); i < total; ++i) out += "─";
  out += '\n';
}

std::string markdown_cell(std::string_view text) {
  std::string out;
  const auto clean = terminal_text(text);
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const bool link = clean[i] == ']' && i + 1 < clean.size() && (clean[i + 1] == '(' || clean[i + 1] == '[');
    if (link || std::string_view("\\|`*<>").find(clean[i]) != std::string_view::npos) out += '\\';
    out += clean[i];
  }
  return out;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string to_text(const Table& table, bool colour) {
  const auto widths = column_widths(table);
  const std::size_t n = table.columns.size();
  std::string out;
  for (std::size_t c = 0; c < n; ++c) {
    if (c > 0) out += kGap;
    append_padded(out, table.columns[c].title, widths[c], table.columns[c].align, c + 1 == n,
                  colour ? ansi(Tone::strong) : "");
  }
  out += '\n';
  append_rule(out, widths);
  bool first = true;
  for (const auto& row : table.rows) {
    if (row.starts_group && !first) append_rule(out, widths);
    first = false;
    for (std::size_t c = 0; c < n; ++c) {
      if (c > 0) out += kGap;
      if (c > 0 && !row.instead_of_cells.empty()) {
        append_padded(out, row.instead_of_cells, 0, Align::left, true, colour ? ansi(Tone::muted) : "");
        break;
      }
      const auto& cell = cell_at(row, c);
      append_padded(out, cell.text, widths[c], table.columns[c].align, c + 1 == n, colour ? ansi(cell.tone) : "");
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  }
  return out;
}

std::string to_markdown(const Table& table) {
  std::string out = "|";
  for (const auto& column : table.columns) out += fmt::format(" {} |", markdown_cell(column.title));
  out += "\n|";
  for (const auto& column : table.columns) out += column.align == Align::right ? " ---: |" : " :--- |";
  out += '\n';
  for (const auto& row : table.rows) {
    out += '|';
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      std::string text = markdown_cell(cell_at(row, c).text);
      if (!row.instead_of_cells.empty() && c > 0) text = c == 1 ? markdown_cell(row.instead_of_cells) : std::string{};
      if (cell_at(row, c).tone == Tone::strong && !text.empty()) text = fmt::format("**{}**", text);
      out += fmt::format(" {} |", text);
    }
    out += '\n';
  }
  return out;
}

std::string to_csv(const Table& table) {
  std::string out;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) out += ',';
    out += csv_cell(table.columns[c].title);
  }
  out += '\n';
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (c > 0) out += ',';
      const auto& cell = cell_at(row, c);
      if (c == 1 && !row.instead_of_cells.empty()) {
        out += csv_cell(row.instead_of_cells);
      } else {
        out += cell.value ? fmt::format("{}", *cell.value) : csv_cell(cell.text);
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace tern::report
