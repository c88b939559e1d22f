#include "cli/text_input.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>

#include "sys/mapped_file.hpp"
#include "sys/signals.hpp"

namespace tern::cli {

void TextInput::declare(CLI::App& app) {
  text_option_ = app.add_option("-p,--prompt", text, "the text itself")->type_name("TEXT");
  app.add_option("-f,--file", file, "a file with the text, taken byte for byte")->type_name("FILE");
}

Result<std::optional<std::string>> TextInput::read() const {
  const bool has_text = text_option_ != nullptr && text_option_->count() > 0;
  if (has_text && !file.empty()) return fail(ErrorCode::usage, "both -p and -f are given; expected one text");
  if (has_text) return text;
  if (file.empty()) return std::nullopt;
  TERN_TRY(std::string content, sys::read_text_file(file));
  return content;
}

Result<std::string> read_standard_input() {
  std::string out;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n == 0) return out;
    if (n > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      return fail(ErrorCode::io, "cannot read the standard input: {}", std::strerror(errno));
    } else if (sys::interrupted()) {
      return fail(ErrorCode::cancelled, "stopped while reading the standard input");
    }
  }
}

}  // namespace tern::cli
