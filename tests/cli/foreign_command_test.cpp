// Advice for other programs' commands: it names commands that there are, and stands in nobody's way.
#include "cli/foreign_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "cli/all.hpp"

namespace tern::cli {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool is_command(std::string_view word) {
  return std::ranges::find(kCommands, word, &CommandEntry::name) != kCommands.end();
}

TEST(ForeignCommand, EveryAdviceNamesCommandsThatThereAre) {
  int n_named = 0;
  for (const ForeignCommand& foreign : foreign_commands()) {
    std::vector<std::string> words = words_of(foreign.advice);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] != "tern") continue;
      std::string& name = words[i + 1];
      if (name.ends_with(',') || name.ends_with(';')) name.pop_back();
      const bool is_two_words = i + 2 < words.size() && is_command(name + " " + words[i + 2]);
      EXPECT_TRUE(is_command(name) || is_two_words) << foreign.advice;
      ++n_named;
    }
  }
  EXPECT_GE(n_named, 20);
}

TEST(ForeignCommand, EveryNameStandsOnceAndIsNoCommandOfTern) {
  std::set<std::string> seen;
  for (const ForeignCommand& foreign : foreign_commands()) {
    for (const std::string& name : words_of(foreign.names)) {
      EXPECT_TRUE(seen.insert(name).second) << name << " stands twice";
      EXPECT_FALSE(is_command(name)) << name;
      EXPECT_EQ(command_elsewhere(name), foreign.advice);
      EXPECT_EQ(name.find_first_of("_."), std::string::npos) << name << " is never looked for so";
    }
  }
}

TEST(ForeignCommand, AScriptIsItsNameInEitherSpelling) {
  EXPECT_EQ(command_elsewhere("convert_hf_to_gguf.py"), "use tern convert");
  EXPECT_EQ(command_elsewhere("convert-hf-to-gguf"), "use tern convert");
  EXPECT_EQ(command_elsewhere("run"), "");
  EXPECT_EQ(command_elsewhere(""), "");
  EXPECT_EQ(command_elsewhere("merg"), "");
}

}  // namespace
}  // namespace tern::cli
