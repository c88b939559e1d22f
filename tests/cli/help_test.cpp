// The help of every command: there, in the width of a terminal, with examples that the command's own options accept.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "cli/all.hpp"
#include "cli/program.hpp"
#include "report/display_width.hpp"
#include "tests/support/process.hpp"

namespace tern::cli {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Words as a shell sees them; the examples use double quotes only.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) words.push_back(std::exchange(word, {}));
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

TEST(Help, EveryCommandHasOneThatNamesItsOptionsAndExamples) {
  for (const CommandEntry& entry : kCommands) {
    SCOPED_TRACE(entry.name);
    std::vector<std::string> words = words_of(std::string(entry.name));
    words.emplace_back("--help");
    const auto ended = tern::test::run_tern(words);
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.err, "");
    EXPECT_NE(ended.out.find("Usage: tern " + std::string(entry.name)), std::string::npos) << ended.out;
    EXPECT_NE(ended.out.find("--json"), std::string::npos) << "every command can answer in JSON";
    EXPECT_NE(ended.out.find("Examples\n  tern " + std::string(entry.name)), std::string::npos) << ended.out;
    for (const std::string& line : lines_of(ended.out)) EXPECT_LE(report::display_width(line), 110U) << line;
    words.pop_back();
    words.insert(words.begin(), "help");
    EXPECT_EQ(tern::test::run_tern(words).out, ended.out);
  }
}

TEST(Help, EveryExampleIsACommandLineThatIsUnderstood) {
  for (const CommandEntry& entry : kCommands) {
    ASSERT_FALSE(entry.examples.empty()) << entry.name;
    for (const std::string& example : lines_of(entry.examples)) {
      SCOPED_TRACE(example);
      std::vector<std::string> words = words_of(example);
      ASSERT_GE(words.size(), 2U);
      EXPECT_EQ(words[0], "tern");
      words.erase(words.begin());
      const std::vector<std::string> name = words_of(std::string(entry.name));
      EXPECT_EQ(std::vector<std::string>(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(name.size())),
                name);
      const auto parsed = Program().parse(words);
      EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
      words.emplace_back("--no-such-option");  // shows that parse() would have noticed
      EXPECT_FALSE(Program().parse(words).has_value());
    }
  }
}

TEST(Help, TheMainHelpListsEveryCommandOnceUnderAGroup) {
  const auto ended = tern::test::run_tern({"--help"});
  EXPECT_EQ(ended.exit_code, 0);
  std::set<std::string_view> seen;
  for (const CommandEntry& entry : kCommands) {
    EXPECT_TRUE(seen.insert(entry.name).second) << entry.name << " is listed twice";
    EXPECT_NE(entry.group, "Other") << entry.name;
    EXPECT_NE(ended.out.find("\n  " + std::string(entry.name) + " "), std::string::npos) << entry.name;
  }
  EXPECT_EQ(tern::test::run_tern({}).out, ended.out);
  EXPECT_EQ(tern::test::run_tern({"help"}).out, ended.out);
}

}  // namespace
}  // namespace tern::cli
