// The program as a whole: the command line's words in, one command run, its error turned into one line and an exit
// code.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/describe.hpp"

namespace tern::cli {

class Program {
 public:
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads the words (without the program's name) into the commands' options and runs nothing. A request for help or
  /// the version is fine too. Errors: usage. One Program parses once.
  [[nodiscard]] Result<void> parse(const std::vector<std::string>& words);
  /// parse() and the command; prints the error, if any. Returns the exit code.
  [[nodiscard]] int run(const std::vector<std::string>& words);
  /// `tern --help` (name empty) or `tern NAME --help`, also of a group ("tokenizer"); "" for an unknown name.
  [[nodiscard]] std::string help(std::string_view name = {}) const;
  /// The same as a manual page.
  [[nodiscard]] std::string manual(std::string_view name = {}) const;
  /// All commands as data, in the order of their list.
  [[nodiscard]] std::vector<CommandText> commands() const;

 private:
  /// The command, or group, that the words begin with; how many of them name it. Errors: usage, with the nearest name.
  [[nodiscard]] Result<std::size_t> choose(std::span<const std::string> words);
  /// What stands behind "help".
  [[nodiscard]] Result<void> parse_help(std::vector<std::string> words);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tern::cli
