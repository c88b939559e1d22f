// Replays every file of tests/cli/transcripts: what a person types and what the program answers. To add a test, add
// lines to one of those files; transcripts/README.md says how they are written.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <sstream>

#include "tests/support/process.hpp"
#include "tests/support/tiny_checkpoint.hpp"

namespace tern::test {
namespace {

struct Exchange {
  std::size_t line = 0;
  std::string command;
  int exit_code = 0;
  std::vector<std::string> out;
  std::vector<std::string> err;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Exchange> read_transcript(const std::string& path) {
  std::vector<Exchange> exchanges;
  std::size_t number = 0;
  for (const std::string& line : lines_of(whole_file(path))) {
    ++number;
    if (line.rfind("$ ", 0) == 0) {
      exchanges.push_back({.line = number, .command = line.substr(2), .exit_code = 0, .out = {}, .err = {}});
    } else if (line.empty() || line.rfind("# ", 0) == 0 || exchanges.empty()) {
      continue;
    } else if (line.rfind("? ", 0) == 0) {
      exchanges.back().exit_code = std::stoi(line.substr(2));
    } else if (line.rfind("! ", 0) == 0) {
      exchanges.back().err.push_back(line.substr(2));
    } else {
      exchanges.back().out.push_back(line == "." ? "" : line);  // "." stands for an empty line
    }
  }
  return exchanges;
}

// "..." stands for any text within the line.
bool line_matches(std::string_view pattern, std::string_view line) {
  const auto dots = pattern.find("...");
  if (dots == std::string_view::npos) return pattern == line;
  if (line.substr(0, dots) != pattern.substr(0, dots)) return false;
  pattern.remove_prefix(dots + 3);
  line.remove_prefix(dots);
  for (;;) {
    if (line_matches(pattern, line)) return true;
    if (line.empty()) return false;
    line.remove_prefix(1);
  }
}

// A line "..." alone stands for any number of lines.
bool lines_match(std::span<const std::string> patterns, std::span<const std::string> lines) {
  if (patterns.empty()) return lines.empty();
  if (patterns.front() == "...") {
    for (std::size_t skip = 0; skip <= lines.size(); ++skip) {
      if (lines_match(patterns.subspan(1), lines.subspan(skip))) return true;
    }
    return false;
  }
  return !lines.empty() && line_matches(patterns.front(), lines.front()) &&
         lines_match(patterns.subspan(1), lines.subspan(1));
}

std::vector<std::string> transcripts() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(source_file("tests/cli/transcripts"))) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

class Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Transcript, SaysWhatTheProgramSays) {
  const std::string path = source_file("tests/cli/transcripts/" + GetParam() + ".txt");
  const std::string text = whole_file(path);
  if (text.rfind("# needs data", 0) == 0) TERN_NEEDS_DATA();
  const std::vector<Exchange> exchanges = read_transcript(path);
  ASSERT_FALSE(exchanges.empty()) << path << " holds no line that begins with \"$ \"";
  const TemporaryFolder folder;
  write_tiny_checkpoint(folder.file("tiny.bin"));
  write_tiny_tokenizer(folder.file("tiny-tokenizer.bin"));
  const std::string program(TERN_PROGRAM);
  for (const Exchange& exchange : exchanges) {
    SCOPED_TRACE(GetParam() + ".txt:" + std::to_string(exchange.line) + ": $ " + exchange.command);
    const std::string script = "unset TERN_ISA; PATH=" + program.substr(0, program.rfind('/')) +
                               ":$PATH; DATA=" + data_folder() + "; " + exchange.command;
    const Ended ended = run_program({"/bin/sh", "-c", script}, {.folder = folder.path()});
    EXPECT_EQ(ended.exit_code, exchange.exit_code) << "stderr: " << ended.err;
    EXPECT_TRUE(lines_match(exchange.out, lines_of(ended.out))) << "stdout is\n" << ended.out;
    EXPECT_TRUE(lines_match(exchange.err, lines_of(ended.err))) << "stderr is\n" << ended.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Transcript, testing::ValuesIn(transcripts()),
                         [](const auto& named) { return named.param; });

TEST(Transcripts, APatternThatDoesNotFitIsNoticed) {
  EXPECT_TRUE(line_matches("a...c", "abc"));
  EXPECT_TRUE(line_matches("...", ""));
  EXPECT_FALSE(line_matches("a...c", "abd"));
  EXPECT_FALSE(line_matches("ab", "abc"));
  const std::vector<std::string> patterns{"one", "...", "four"};
  EXPECT_TRUE(lines_match(patterns, std::vector<std::string>{"one", "two", "three", "four"}));
  EXPECT_FALSE(lines_match(patterns, std::vector<std::string>{"one", "two", "three"}));
  EXPECT_FALSE(lines_match(patterns, std::vector<std::string>{"one", "four", "five"}));
}

}  // namespace
}  // namespace tern::test
