#include "cli/console.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/words.hpp"
#include "cli/exit_code.hpp"
#include "sys/signals.hpp"

namespace tern::cli {
namespace {

// A standard error that is closed is no reason to fail (fmt::print would throw).
void to_stderr(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// "40 s", "25 min", "3.1 h"
std::string in_words(double seconds) {
  if (seconds < 120.0) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200.0) return fmt::format("{:.0f} min", seconds / 60.0);
  return fmt::format("{:.1f} h", seconds / 3600.0);
}

}  // namespace

Console::Console()
    : out_is_terminal_(::isatty(STDOUT_FILENO) != 0),
      err_is_terminal_(::isatty(STDERR_FILENO) != 0),
      colour_(out_is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Console::out(std::string_view text) {
  clear_line();
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      if (error == EPIPE) std::_Exit(128 + SIGPIPE);  // nobody reads any more
      to_stderr(fmt::format("tern: cannot write to the standard output: {}\n", std::strerror(error)));
      std::_Exit(exit_code(error == ENOSPC ? ErrorCode::out_of_space : ErrorCode::io));
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Console::note(std::string_view line) {
  clear_line();
  to_stderr(fmt::format("{}\n", line));
}

void Console::begin(std::string_view what, std::uint64_t total) {
  what_ = what;
  total_ = total;
  started_ = std::chrono::steady_clock::now();
  drawn_ = started_;
}

void Console::update(std::uint64_t done, std::string_view note) {
  if (!err_is_terminal_ || total_ == 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < std::chrono::milliseconds(100) && done < total_) return;
  drawn_ = now;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
  const double elapsed = std::chrono::duration<double>(now - started_).count();
  const double left = share > 0.0 ? elapsed / share - elapsed : 0.0;
  constexpr int kWidth = 24;
  const int full = static_cast<int>(share * kWidth);
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < full ? "█" : "░";
  const std::string line = fmt::format("{} {} {:3.0f} %  {} left  ", what_, bar, share * 100.0, in_words(left));
  const std::size_t used = line.size() - 2 * kWidth;  // a block of the bar takes three bytes and one column
  const std::size_t columns = terminal_columns();
  to_stderr(fmt::format("\r\x1b[K{}{}", line, printable(note, columns > used + 8 ? columns - used - 1 : 8)));
  line_drawn_ = true;
}

void Console::end() {
  clear_line();
}

bool Console::cancelled() const {
  return sys::interrupted();
}

void Console::clear_line() {
  if (!line_drawn_) return;
  to_stderr("\r\x1b[K");
  line_drawn_ = false;
}

}  // namespace tern::cli
