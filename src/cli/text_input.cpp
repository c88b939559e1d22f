#include "cli/text_input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/words.hpp"
#include "sys/mapped_file.hpp"
#include "sys/signals.hpp"

namespace tern::cli {
namespace {

constexpr std::size_t kMostFromStream = std::size_t{1} << 30;  // bytes: a pipe may never end

Result<std::string> read_stream(int fd, const std::string& name) {
  std::string out;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n == 0) return out;
    if (n > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(n));
      if (out.size() > kMostFromStream) {
        return fail(ErrorCode::bad_input, "{}: does not end after {}, expected a text of that size at most", name,
                    human_bytes(kMostFromStream));
      }
    } else if (errno != EINTR) {
      return fail(ErrorCode::io, "cannot read {}: {}", name, std::strerror(errno));
    } else if (sys::interrupted()) {
      return fail(ErrorCode::cancelled, "stopped while reading {}", name);
    }
  }
}

}  // namespace

void TextInput::declare(CLI::App& app) {
  text_option_ = app.add_option("-p,--prompt", text, "the text itself")->type_name("TEXT");
  app.add_option("-f,--file", file, "a file with the text, taken byte for byte; - is stdin")->type_name("FILE");
}

Result<std::optional<std::string>> TextInput::read() const {
  const bool has_text = text_option_ != nullptr && text_option_->count() > 0;
  if (has_text && !file.empty()) return fail(ErrorCode::usage, "both -p and -f are given; expected one text");
  if (has_text) return text;
  if (file.empty()) return std::nullopt;
  TERN_TRY(std::string content, read_text(file));
  return content;
}

Result<std::string> read_standard_input() {
  return read_stream(STDIN_FILENO, name_of_text("-"));
}

Result<std::string> read_text(const std::string& path) {
  if (path == "-") return read_standard_input();
  if (!is_stream(path)) return sys::read_text_file(path);
  int fd = -1;
  while ((fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) < 0) {  // of a named pipe: waits for who writes
    if (errno != EINTR) return fail(ErrorCode::io, "{}: cannot open: {}", path, std::strerror(errno));
    if (sys::interrupted()) return fail(ErrorCode::cancelled, "stopped while waiting for {}", path);
  }
  auto content = read_stream(fd, path);
  ::close(fd);
  return content;
}

bool is_stream(const std::string& path) {
  struct stat info{};
  return path == "-" || (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
}

std::string name_of_text(const std::string& path) {
  return path == "-" ? "the standard input" : path;
}

Result<void> reads_standard_input_once(std::span<const std::string> paths) {
  if (std::ranges::count(paths, "-") < 2) return {};
  return fail(ErrorCode::usage, "the standard input (-) is named {} times; it can be read once",
              std::ranges::count(paths, "-"));
}

}  // namespace tern::cli
