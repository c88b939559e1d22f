// Where a command's text comes from: -p words, -f a file's bytes unchanged, or the standard input. A pipe, a device or
// "-" in the place of a file is read until it ends.
#pragma once

#include <optional>
#include <span>
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

/// A file's bytes; "-" is the standard input. Errors: not_found, io; bad_input for a folder and for a pipe without end.
[[nodiscard]] Result<std::string> read_text(const std::string& path);

/// True for "-" and for what is there but is no regular file: it can be read once, from its beginning to its end.
[[nodiscard]] bool is_stream(const std::string& path);

/// What messages call it: "the standard input" for "-".
[[nodiscard]] std::string name_of_text(const std::string& path);

/// Errors: usage, when more than one of these is the standard input.
[[nodiscard]] Result<void> reads_standard_input_once(std::span<const std::string> paths);

}  // namespace tern::cli
