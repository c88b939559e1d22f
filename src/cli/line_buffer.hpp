// The line being edited: text, cursor, and what each key does to them. It knows nothing of terminals (line_editor.hpp
// does), so every key can be tested. The cursor moves by whole UTF-8 characters with the marks that combine with them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tern::cli {

class LineBuffer {
 public:
  enum class Event { none, submit, interrupt, end_of_input, clear_screen };

  /// Begins an empty line.
  void begin();
  /// Takes bytes as a terminal sends them, one at a time; an escape sequence acts when its last byte is there.
  Event push(unsigned char byte);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t cursor() const { return cursor_; }  // byte offset
  /// Remembers a line for the up arrow; empty lines and repetitions are not kept.
  void remember(const std::string& line);

 private:
  Event act_on_control(unsigned char byte);
  void act_on_escape();
  void recall(std::ptrdiff_t step);
  void insert(std::string_view bytes);
  [[nodiscard]] std::size_t before(std::size_t at) const;
  [[nodiscard]] std::size_t after(std::size_t at) const;

  std::string text_;
  std::size_t cursor_ = 0;
  std::string escape_;     // an escape sequence so far, with its ESC
  std::string character_;  // a UTF-8 character so far
  std::vector<std::string> history_;
  std::size_t place_ = 0;  // in history_; its size: the line being written
  std::string draft_;      // that line while an older one is shown
};

}  // namespace tern::cli
