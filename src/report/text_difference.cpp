// Implementation of text_difference.hpp.
#include "report/text_difference.hpp"

#include <algorithm>

#include "report/escape.hpp"

namespace tern::report {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace

TextDifference first_difference(std::string_view reference, std::string_view text) {
  TextDifference result;
  std::size_t at = 0;
  while (at < text.size() && at < reference.size()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text.substr(at)));
    if (text.substr(at, length) != reference.substr(at, length)) break;
    at += length;
    ++result.same_characters;
  }
  if (at == text.size() && at == reference.size()) {
    result.equal = true;
    result.same = text;
    return result;
  }
  std::size_t begin = at;
  while (at < text.size() && begin > 0 && !is_space(text[begin]) && !is_space(text[begin - 1])) --begin;
  std::size_t end = at;
  while (end < text.size() && is_space(text[end])) ++end;  // a differing space is shown with the word after it
  while (end < text.size() && !is_space(text[end])) ++end;
  result.same = text.substr(0, begin);
  result.word = text.substr(begin, end - begin);
  result.rest = text.substr(end);
  return result;
}

}  // namespace tern::report
