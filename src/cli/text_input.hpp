// Where a command's text comes from: -p words, -f a file's bytes unchanged, or the standard input.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

struct TextInput {
  std::optional<std::string> text;
  std::string file;

  /// -p/--prompt, -f/--file (only one of them)
  void declare(CLI::App& app);
  /// The text, or nothing when neither option was given. Errors: those of reading the file.
  [[nodiscard]] Result<std::optional<std::string>> read() const;
};

/// All of the standard input.
[[nodiscard]] Result<std::string> read_standard_input();

}  // namespace tern::cli
