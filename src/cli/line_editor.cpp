#include "cli/line_editor.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "report/display_width.hpp"
#include "sys/signals.hpp"

namespace tern::cli {
namespace {

// The terminal as it was is restored however the reading ends.
class RawMode {
 public:
  RawMode() : active_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!active_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN);
    raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    active_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
  }
  ~RawMode() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  termios before_{};
  bool active_;
};

void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

LineEditor::LineEditor() : is_terminal_(::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0) {}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  return is_terminal_ ? read_edited(prompt) : read_plain();
}

std::optional<std::string> LineEditor::read_plain() {
  for (;;) {
    const auto end = pending_.find('\n');
    if (end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (ended_) {
      if (pending_.empty()) return std::nullopt;
      return std::exchange(pending_, {});
    }
    std::array<char, 4096> bytes{};
    const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (n > 0) pending_.append(bytes.data(), static_cast<std::size_t>(n));
    if (n < 0 && errno == EINTR && sys::interrupted()) return std::nullopt;
    if (n == 0 || (n < 0 && errno != EINTR)) ended_ = true;
  }
}

// Shows as much of the line around the cursor as one row holds.
void LineEditor::draw(const std::string& prompt) const {
  const std::string_view text = buffer_.text();
  const std::size_t room =
      std::max<std::size_t>(columns(), report::display_width(prompt) + 10) - report::display_width(prompt) - 1;
  std::size_t begin = 0;
  while (report::display_width(text.substr(begin, buffer_.cursor() - begin)) > room)
    begin += utf8_step(text.substr(begin)).length;
  std::size_t end = begin;
  while (end < text.size()) {
    const std::size_t next = end + utf8_step(text.substr(end)).length;
    if (report::display_width(text.substr(begin, next - begin)) > room) break;
    end = next;
  }
  const std::size_t column =
      report::display_width(prompt) + report::display_width(text.substr(begin, buffer_.cursor() - begin));
  std::string out = "\r\x1b[K" + prompt + std::string(text.substr(begin, end - begin)) + "\r";
  if (column > 0) out += fmt::format("\x1b[{}C", column);
  put(out);
}

std::optional<std::string> LineEditor::read_edited(const std::string& prompt) {
  const RawMode raw;
  buffer_.begin();
  draw(prompt);
  for (;;) {
    if (pending_.empty()) {
      std::array<char, 4096> bytes{};
      const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR && !sys::interrupted()) continue;
      if (n <= 0) {
        put("\r\n");
        return std::nullopt;
      }
      pending_.assign(bytes.data(), static_cast<std::size_t>(n));
    }
    while (!pending_.empty()) {
      const auto byte = static_cast<unsigned char>(pending_.front());
      pending_.erase(0, 1);
      switch (buffer_.push(byte)) {
        case LineBuffer::Event::none:
          break;
        case LineBuffer::Event::submit:
          draw(prompt);
          put("\r\n");
          buffer_.remember(buffer_.text());
          return buffer_.text();
        case LineBuffer::Event::interrupt:
          put("\r\n");
          return std::string{};
        case LineBuffer::Event::end_of_input:
          put("\r\n");
          return std::nullopt;
        case LineBuffer::Event::clear_screen:
          put("\x1b[2J\x1b[H");
          break;
      }
    }
    draw(prompt);
  }
}

}  // namespace tern::cli
