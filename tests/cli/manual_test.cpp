// The manual pages: one for every command, with its options, and nothing in them that a troff reader complains about.
#include <gtest/gtest.h>

#include <sstream>

#include "cli/all.hpp"
#include "cli/command_names.hpp"
#include "cli/program.hpp"
#include "tests/support/process.hpp"

namespace tern::cli {
namespace {

TEST(Manual, EveryCommandHasAPageWithItsOptions) {
  const Program program;
  const std::string main_page = program.manual();
  for (const CommandText& command : program.commands()) {
    SCOPED_TRACE(command.name);
    std::string page = hyphenated(command.name);
    for (std::size_t at = 0; (at = page.find('-', at)) != std::string::npos; at += 2) page.insert(at, 1, '\\');
    EXPECT_NE(main_page.find("\\fBtern\\-" + page + "\\fR(1)"), std::string::npos);
    std::vector<std::string> words{"help", "--man", std::string(first_word(command.name))};
    if (!second_word(command.name).empty()) words.emplace_back(second_word(command.name));
    const auto ended = tern::test::run_tern(words);
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.out, program.manual(command.name));
    EXPECT_TRUE(ended.out.starts_with(".TH TERN\\-")) << ended.out.substr(0, 40);
    for (const OptionText& option : command.options) {
      if (option.is_argument) continue;
      std::string name = option.names.back();
      for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) name.insert(at, 1, '\\');
      EXPECT_NE(ended.out.find("\\fB" + name + "\\fR"), std::string::npos) << name;
    }
  }
  EXPECT_EQ(tern::test::run_tern({"help", "--man"}).out, main_page);
  EXPECT_EQ(program.manual("no such command"), "");
}

// mandoc's complaints but two: style (long lines) and the date, which a page made at build time must not have.
std::string complaints(const std::string& page) {
  const tern::test::TemporaryFolder folder;
  std::ofstream(folder.file("page.1")) << page;
  const auto ended = tern::test::run_program({"/usr/bin/mandoc", "-Tlint", "-Wwarning", folder.file("page.1")});
  std::string left;
  std::istringstream lines(ended.out + ended.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("missing date") == std::string::npos) left += line + "\n";
  }
  return left;
}

TEST(Manual, MandocHasNothingToSay) {
  if (!std::filesystem::exists("/usr/bin/mandoc")) GTEST_SKIP() << "SKIPPED: needs mandoc, which is not installed";
  const Program program;
  EXPECT_EQ(complaints(program.manual()), "");
  for (const CommandText& command : program.commands()) {
    EXPECT_EQ(complaints(program.manual(command.name)), "") << command.name;
  }
  EXPECT_NE(complaints(program.manual() + ".nosuchmacro\n"), "") << "it would notice";
}

}  // namespace
}  // namespace tern::cli
