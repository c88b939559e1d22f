#include "text/space_mark.hpp"

namespace tern::text {

namespace {

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

}  // namespace

std::string spaces_to_marks(std::string_view text) {
  return replace_all(text, " ", kSpaceMark);
}
std::string marks_to_spaces(std::string_view text) {
  return replace_all(text, kSpaceMark, " ");
}

}  // namespace tern::text
