// Reads a line from a person: with editing and history on a terminal, plainly from anything else.
#pragma once

#include <optional>
#include <string>

#include "cli/line_buffer.hpp"

namespace tern::cli {

class LineEditor {
 public:
  LineEditor();

  /// The next line without its end; nothing at the end of the input, or when a signal asks the program to stop. Ctrl-C
  /// on a terminal gives up the line: an empty one is returned. `prompt` is shown on terminals only.
  [[nodiscard]] std::optional<std::string> read(const std::string& prompt);
  [[nodiscard]] bool is_terminal() const { return is_terminal_; }

 private:
  [[nodiscard]] std::optional<std::string> read_plain();
  [[nodiscard]] std::optional<std::string> read_edited(const std::string& prompt);
  void draw(const std::string& prompt) const;

  bool is_terminal_;
  LineBuffer buffer_;
  std::string pending_;  // bytes read beyond a line's end
  bool ended_ = false;
};

}  // namespace tern::cli
