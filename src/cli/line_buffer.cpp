#include "cli/line_buffer.hpp"

#include <array>
#include <utility>

#include "base/utf8.hpp"
#include "report/display_width.hpp"

namespace tern::cli {
namespace {

constexpr unsigned char ctrl(char letter) {
  return static_cast<unsigned char>(letter - 'a' + 1);
}

}  // namespace

void LineBuffer::begin() {
  text_.clear();
  cursor_ = 0;
  escape_.clear();
  character_.clear();
  place_ = history_.size();
  draft_.clear();
}

void LineBuffer::remember(const std::string& line) {
  if (!line.empty() && (history_.empty() || history_.back() != line)) history_.push_back(line);
}

// The start of the character before `at`; marks that take no column belong to the character before them.
std::size_t LineBuffer::before(std::size_t at) const {
  while (at > 0) {
    do {
      --at;
    } while (at > 0 && is_utf8_continuation(text_[at]));
    if (report::display_width(
            std::string_view(text_).substr(at, utf8_step(std::string_view(text_).substr(at)).length)) > 0)
      break;
  }
  return at;
}

std::size_t LineBuffer::after(std::size_t at) const {
  const std::string_view text = text_;
  if (at < text.size()) at += utf8_step(text.substr(at)).length;
  while (at < text.size()) {
    const std::size_t length = utf8_step(text.substr(at)).length;
    if (report::display_width(text.substr(at, length)) > 0) break;
    at += length;
  }
  return at;
}

void LineBuffer::insert(std::string_view bytes) {
  text_.insert(cursor_, bytes);
  cursor_ += bytes.size();
}

void LineBuffer::recall(std::ptrdiff_t step) {
  const auto target = static_cast<std::ptrdiff_t>(place_) + step;
  if (target < 0 || target > std::ssize(history_)) return;
  if (place_ == history_.size()) draft_ = text_;
  place_ = static_cast<std::size_t>(target);
  text_ = place_ == history_.size() ? draft_ : history_[place_];
  cursor_ = text_.size();
}

LineBuffer::Event LineBuffer::push(unsigned char byte) {
  if (!escape_.empty()) {
    escape_ += static_cast<char>(byte);
    // ESC [ parameters letter-or-~, or ESC O letter; anything else after ESC is dropped.
    const bool introduced = escape_.size() == 2 && (byte == '[' || byte == 'O');
    const bool parameter =
        escape_.size() > 2 && escape_[1] == '[' && byte >= 0x20 && byte <= 0x3f && escape_.size() < 16;
    if (introduced || parameter) return Event::none;
    act_on_escape();
    escape_.clear();
    return Event::none;
  }
  if (byte == 0x1b) {
    escape_ = "\x1b";
    return Event::none;
  }
  if (byte < 0x20 || byte == 0x7f) {
    character_.clear();
    return act_on_control(byte);
  }
  character_ += static_cast<char>(byte);
  const Utf8Step step = utf8_step(character_);
  if (step.valid) insert(std::exchange(character_, {}));
  if (!step.valid && !step.incomplete) character_.clear();
  return Event::none;
}

LineBuffer::Event LineBuffer::act_on_control(unsigned char byte) {
  switch (byte) {
    case '\r':
    case '\n':
      return Event::submit;
    case ctrl('c'):
      return Event::interrupt;
    case ctrl('d'):
      if (text_.empty()) return Event::end_of_input;
      text_.erase(cursor_, after(cursor_) - cursor_);
      break;
    case ctrl('l'):
      return Event::clear_screen;
    case ctrl('a'):
      cursor_ = 0;
      break;
    case ctrl('e'):
      cursor_ = text_.size();
      break;
    case ctrl('b'):
      cursor_ = before(cursor_);
      break;
    case ctrl('f'):
      cursor_ = after(cursor_);
      break;
    case ctrl('p'):
      recall(-1);
      break;
    case ctrl('n'):
      recall(1);
      break;
    case ctrl('k'):
      text_.erase(cursor_);
      break;
    case ctrl('u'):
      text_.erase(0, cursor_);
      cursor_ = 0;
      break;
    case ctrl('w'): {
      std::size_t at = cursor_;
      while (at > 0 && text_[at - 1] == ' ') --at;
      while (at > 0 && text_[at - 1] != ' ') --at;
      text_.erase(at, cursor_ - at);
      cursor_ = at;
      break;
    }
    case 0x7f:
    case ctrl('h'): {
      const std::size_t at = before(cursor_);
      text_.erase(at, cursor_ - at);
      cursor_ = at;
      break;
    }
    case '\t':
      insert(" ");
      break;
    default:
      break;
  }
  return Event::none;
}

void LineBuffer::act_on_escape() {
  static constexpr std::array<std::pair<std::string_view, unsigned char>, 12> kSame{{{"\x1b[A", ctrl('p')},
                                                                                     {"\x1b[B", ctrl('n')},
                                                                                     {"\x1b[C", ctrl('f')},
                                                                                     {"\x1b[D", ctrl('b')},
                                                                                     {"\x1b[H", ctrl('a')},
                                                                                     {"\x1b[F", ctrl('e')},
                                                                                     {"\x1b[1~", ctrl('a')},
                                                                                     {"\x1b[4~", ctrl('e')},
                                                                                     {"\x1b[7~", ctrl('a')},
                                                                                     {"\x1b[8~", ctrl('e')},
                                                                                     {"\x1bOH", ctrl('a')},
                                                                                     {"\x1bOF", ctrl('e')}}};
  for (const auto& [sequence, key] : kSame) {
    if (escape_ == sequence) static_cast<void>(act_on_control(key));
  }
  if (escape_ == "\x1b[3~") text_.erase(cursor_, after(cursor_) - cursor_);
}

}  // namespace tern::cli
