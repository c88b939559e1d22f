#include "train/data/documents.hpp"

#include <algorithm>

#include "base/byte_cursor.hpp"
#include "base/utf8.hpp"
#include "base/words.hpp"

namespace tern::train {
namespace {

bool is_white(std::uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

std::string_view stripped(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = utf8_step(text).length;
    if (!is_white(utf8_code_point(text))) break;
    text.remove_prefix(n);
  }
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_utf8_continuation(text[begin])) --begin;
    if (!is_white(utf8_code_point(text.substr(begin)))) break;
    text = text.substr(0, begin);
  }
  return text;
}

Result<DocumentReader> DocumentReader::open(const std::string& path, std::string separator) {
  TERN_TRY(sys::MappedFile file, sys::MappedFile::open(path));
  return DocumentReader(std::move(file), std::move(separator));
}

Result<std::optional<std::string_view>> DocumentReader::next() {
  if (at_end_) return std::optional<std::string_view>{};
  const std::string_view rest = as_text(file_.bytes()).substr(position_);
  const std::size_t found = separator_.empty() ? rest.npos : rest.find(separator_);
  const std::string_view document = rest.substr(0, found);
  if (const std::size_t valid = utf8_valid_prefix(document); valid != document.size()) {
    return fail(ErrorCode::bad_input,
                "{}: not UTF-8 at byte {} (\"{}\"), expected text in UTF-8: convert it first, as with iconv -f LATIN1 "
                "-t UTF-8",
                path(), position_ + valid, printable(document.substr(valid, 4)));
  }
  at_end_ = found == rest.npos;
  position_ += document.size() + (at_end_ ? 0 : separator_.size());
  return std::optional(document);
}

void DocumentReader::release() {
  file_.release(file_.bytes().subspan(released_, position_ - released_));
  released_ = position_;
}

}  // namespace tern::train
