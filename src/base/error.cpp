#include "base/error.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tern {

std::string in_one_line(std::string text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::none_of(text, is_control)) return text;
  std::string out;
  for (const char c : text) {
    if (is_control(c)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::unexpected<Error> in_context(std::string_view context, Error error) {
  error.message = in_one_line(fmt::format("{}: {}", context, error.message));
  return std::unexpected<Error>(std::move(error));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tern: internal error: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace tern
