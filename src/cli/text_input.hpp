// Where a command's text comes from: -p words, -f a file's bytes unchanged, or the standard input.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tern::cli {

struct TextInput {
  std::string text;
  std::string file;

  /// -p/--prompt, -f/--file (only one of them)
  void declare(CLI::App& app);
  /// The text, or nothing when neither option was given. Errors: those of reading the file.
  [[nodiscard]] Result<std::optional<std::string>> read() const;

 private:
  const CLI::Option* text_option_ = nullptr;  // an empty text is a text
};

/// All of the standard input.
[[nodiscard]] Result<std::string> read_standard_input();

}  // namespace tern::cli
