// The terminal as commands see it: results on stdout, notes and progress on stderr, colour and bars only for people.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/progress.hpp"

namespace tern::cli {

class Console final : public Progress {
 public:
  Console();

  /// Results. Written at once. A pipe that closed ends the program quietly, a full disk with one line.
  void out(std::string_view text);
  /// A line on stderr.
  void note(std::string_view line) override;

  // Progress: one line that redraws itself, only when stderr is a terminal.
  void begin(std::string_view what, std::uint64_t total) override;
  void update(std::uint64_t done, std::string_view note = {}) override;
  void end() override;
  /// Ctrl-C was pressed.
  [[nodiscard]] bool cancelled() const override;

  [[nodiscard]] bool out_is_terminal() const { return out_is_terminal_; }
  /// Colour on stdout: a terminal and no NO_COLOR.
  [[nodiscard]] bool colour() const { return colour_; }

 private:
  void clear_line();

  bool out_is_terminal_;
  bool err_is_terminal_;
  bool colour_;
  bool line_drawn_ = false;
  std::string what_;
  std::uint64_t total_ = 0;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace tern::cli
