#include "report/table.hpp"

#include <gtest/gtest.h>

namespace tern::report {
namespace {

Table sample() {
  Table table;
  table.columns = {{"Format", Align::left}, {"PPL"}, {"Verdict", Align::left}};
  table.add({Cell("F32"), Cell("17.1", Tone::plain, 17.1061), Cell("base")});
  table.add({Cell("日本"), Cell("-1.25"), Cell("worse", Tone::bad)}, true);
  table.add_reason("I2_S", "holds only three values, and this reason is long");
  return table;
}

TEST(Table, TextIsAlignedByColumnsNotBytes) {
  EXPECT_EQ(to_text(sample()),
            "Format    PPL  Verdict\n"
            "──────────────────────\n"
            "F32      17.1  base\n"
            "──────────────────────\n"
            "日本    -1.25  worse\n"
            "I2_S    holds only three values, and this reason is long\n");
}

TEST(Table, ColourChangesNothingButColour) {
  std::string coloured = to_text(sample(), true);
  EXPECT_NE(coloured.find("\x1b[31mworse\x1b[0m"), std::string::npos);
  for (std::size_t at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, to_text(sample()));
}

TEST(Table, CellsCannotSendCommandsToTheTerminal) {
  Table table;
  table.columns = {{"name", Align::left}};
  table.add({Cell("\x1b[2Jevil\nline")});
  const auto text = to_text(table);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Table, MarkdownKeepsItsColumns) {
  Table table;
  table.columns = {{"a|b", Align::left}, {"n"}};
  table.add({Cell("x|y\n<b>"), Cell("1", Tone::strong)});
  EXPECT_EQ(to_markdown(table),
            "| a\\|b | n |\n"
            "| :--- | ---: |\n"
            "| x\\|y \\<b\\> | **1** |\n");
}

TEST(Table, CsvQuotesAndKeepsAllDigits) {
  Table table;
  table.columns = {{"name", Align::left}, {"a,b"}};
  table.add({Cell("say \"hi\",\nthere"), Cell("0.3", Tone::plain, 0.1 + 0.2)});
  table.add_reason("x", "no, never");
  EXPECT_EQ(to_csv(table),
            "name,\"a,b\"\n"
            "\"say \"\"hi\"\",\nthere\",0.30000000000000004\n"
            "x,\"no, never\"\n");
}

TEST(Table, RowsShorterThanTheHeadAreFilledUp) {
  Table table;
  table.columns = {{"a"}, {"b"}, {"c"}};
  table.add({Cell("1")});
  EXPECT_EQ(to_csv(table), "a,b,c\n1,,\n");
  EXPECT_EQ(to_text(table), "a  b  c\n───────\n1\n");
}

}  // namespace
}  // namespace tern::report
