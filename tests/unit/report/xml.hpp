// A small judge of well-formedness for the tests: tags balance, attributes are quoted, no stray < or &.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tern::test {

/// "" if `text` is well formed, else what is wrong and where. `html`: void elements need no end, a doctype may begin
/// the text, and the insides of style and script are not looked at (in SVG a style is plain text and is).
inline std::string xml_fault(std::string_view text, bool html = false) {
  static const std::set<std::string, std::less<>> kVoid{"meta", "br", "hr", "img", "link", "input"};
  std::vector<std::string> open;
  const auto at = [&](std::size_t i) {
    return " at byte " + std::to_string(i) + ": " + std::string(text.substr(i, 40));
  };
  std::size_t i = 0;
  if (html && text.starts_with("<!DOCTYPE html>")) i = 15;
  while (i < text.size()) {
    if (text[i] == '&') {
      const std::size_t end = text.find(';', i);
      if (end == std::string_view::npos || end - i > 8 || end == i + 1) return "bare &" + at(i);
      i = end + 1;
    } else if (text[i] == '>' && open.empty()) {
      return "bare >" + at(i);
    } else if (text[i] != '<') {
      ++i;
    } else if (text.substr(i, 2) == "</") {
      const std::size_t end = text.find('>', i);
      if (end == std::string_view::npos) return "unended tag" + at(i);
      const auto name = std::string(text.substr(i + 2, end - i - 2));
      if (open.empty() || open.back() != name) return "end of " + name + " without its begin" + at(i);
      open.pop_back();
      i = end + 1;
    } else {
      std::size_t k = i + 1;
      while (k < text.size() && (std::isalnum(static_cast<unsigned char>(text[k])) != 0 || text[k] == '-')) ++k;
      const auto name = std::string(text.substr(i + 1, k - i - 1));
      if (name.empty()) return "bare <" + at(i);
      std::set<std::string> attributes;
      while (true) {
        while (k < text.size() && std::isspace(static_cast<unsigned char>(text[k])) != 0) ++k;
        if (k >= text.size()) return "unended tag" + at(i);
        if (text[k] == '>' || text[k] == '/') break;
        const std::size_t equals = text.find('=', k);
        if (equals == std::string_view::npos || equals + 1 >= text.size() || text[equals + 1] != '"') {
          return "attribute without a quoted value" + at(k);
        }
        if (!attributes.insert(std::string(text.substr(k, equals - k))).second) return "attribute twice" + at(k);
        const std::size_t end = text.find('"', equals + 2);
        if (end == std::string_view::npos) return "unended attribute" + at(k);
        if (text.substr(equals, end - equals).find('<') != std::string_view::npos) return "< in an attribute" + at(k);
        k = end + 1;
      }
      const bool empty = text[k] == '/';
      if (empty && text.substr(k, 2) != "/>") return "stray /" + at(k);
      i = k + (empty ? 2 : 1);
      if (!empty && !(html && kVoid.contains(name))) open.push_back(name);
      if (html && !empty && (name == "style" || name == "script")) i = text.find("</" + name, i);
    }
  }
  return open.empty() ? "" : "unended element " + open.back();
}

}  // namespace tern::test
