#include "text/regex_reader.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/hex_digit.hpp"

namespace tern::text {

namespace {

// A simple escape's one code point, or none.
std::optional<std::uint32_t> control_of(char letter) {
  switch (letter) {
    case 't':
      return 0x09;
    case 'n':
      return 0x0A;
    case 'v':
      return 0x0B;
    case 'f':
      return 0x0C;
    case 'r':
      return 0x0D;
    case 'a':
      return 0x07;
    case 'e':
      return 0x1B;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string spelled(std::uint32_t code_point) {
  const char c = static_cast<char>(code_point & 0x7F);
  if (code_point < 0x80 && (is_ascii_digit(c) || is_ascii_letter(c) || c == ' ')) return std::string(1, c);
  return fmt::format("\\x{{{:X}}}", code_point);
}

std::uint32_t RegexReader::take_character() {
  const std::string_view text = rest();
  at_ += utf8_step(text).length;
  return utf8_code_point(text);
}

std::unexpected<Error> RegexReader::unsupported(std::string_view what) const {
  return fail(ErrorCode::unsupported, "has {} at byte {}, which this program does not have", what, part_);
}

std::unexpected<Error> RegexReader::cut_off(std::string_view what) const {
  return fail(ErrorCode::bad_input, "has {} at byte {} that does not end", what, part_);
}

Result<RegexItem> RegexReader::escape() {
  const std::size_t start = at_++;
  if (at_end()) return cut_off("an escape");
  const char c = source_[at_];
  if (const auto control = control_of(c)) {
    ++at_;
    return RegexItem{.code_point = control};
  }
  if (!is_ascii_letter(c) && !is_ascii_digit(c)) return RegexItem{.code_point = take_character()};
  ++at_;
  switch (c) {
    case 's':
      return RegexItem{.set = space_set()};
    case 'S':
      return RegexItem{.set = complement(space_set())};
    case 'w':
      return RegexItem{.set = word_set()};
    case 'W':
      return RegexItem{.set = complement(word_set())};
    case 'd':
      return RegexItem{.set = property_set("Nd")};
    case 'D':
      return RegexItem{.set = complement(property_set("Nd"))};
    case 'h':
      return RegexItem{.set = hex_set()};
    case 'H':
      return RegexItem{.set = complement(hex_set())};
    case 'p':
    case 'P':
      return property(c == 'P');
    case 'x':
      return peek() == '{' ? braced_number() : number(2, 1, 16);
    case 'u':
      return number(4, 4, 16);
    case '0':
      return number(2, 0, 8);
    default:
      return unsupported(fmt::format("the escape \"{}\"", printable(source_.substr(start, 2))));
  }
}

Result<RegexItem> RegexReader::property(bool negated) {
  const std::size_t end = source_.find('}', at_);
  if (peek() != '{' || end == std::string_view::npos) return cut_off("a property (expected \\p{Name})");
  std::string_view name = source_.substr(at_ + 1, end - at_ - 1);
  if (name.starts_with('^')) {
    negated = !negated;
    name.remove_prefix(1);
  }
  if (name.empty() || !std::ranges::all_of(name, [](char c) {
        return is_ascii_letter(c) || is_ascii_digit(c) || c == '_' || c == '-' || c == ' ';
      })) {
    return unsupported(fmt::format("the property \"{}\"", printable(name)));
  }
  at_ = end + 1;
  CharSet set = property_set(name);
  set.negated = negated;
  return RegexItem{.set = std::move(set)};
}

Result<RegexItem> RegexReader::braced_number() {
  ++at_;
  TERN_TRY(RegexItem item, number(6, 1, 16));
  if (peek() != '}') return cut_off("an escape (expected \\x{hexadecimal digits})");
  ++at_;
  return item;
}

Result<RegexItem> RegexReader::number(std::size_t most, std::size_t least, std::uint32_t base) {
  std::uint32_t value = 0;
  std::size_t n = 0;
  for (; n < most && !at_end(); ++n, ++at_) {
    const int digit = hex_digit(source_[at_]);
    if (digit < 0 || digit >= static_cast<int>(base)) break;
    value = value * base + static_cast<std::uint32_t>(digit);
  }
  if (n < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    return fail(ErrorCode::bad_input, "has an escape at byte {} that names no character", part_);
  }
  return RegexItem{.code_point = value};
}

// Sets that are complements cannot stand among other items in PCRE2, so they become alternatives of the class, or
// conditions on it if it is a complement itself.
Result<std::string> RegexReader::char_class() {
  ClassParts parts;
  TERN_TRY_DO(class_parts(0, parts));
  const auto& [items, complements, negated] = parts;
  if (complements.empty()) return (negated ? "[^" : "[") + items + "]";
  std::string out = "(?:";
  if (negated) {
    for (const std::string& excluded : complements) out += "(?=[" + excluded + "])";
    out += items.empty() ? "(?s:.)" : "[^" + items + "]";
  } else {
    if (!items.empty()) out += "[" + items + "]|";
    for (std::size_t i = 0; i < complements.size(); ++i) out += (i == 0 ? "[^" : "|[^") + complements[i] + "]";
  }
  return out + ")";
}

Result<void> RegexReader::class_parts(int depth, ClassParts& parts) {
  if (depth > kMaxNesting) return unsupported(fmt::format("more than {} classes in classes", kMaxNesting));
  ++at_;
  if (peek() == '^') {
    parts.negated = true;
    ++at_;
  }
  for (bool first = true;; first = false) {
    if (at_end()) return cut_off("a class");
    begin_part();
    if (peek() == ']' && !first) break;
    if (next_is("&&")) return unsupported("an intersection of classes (&&)");
    TERN_TRY(const RegexItem item, class_item(depth, parts));
    if (!item.code_point) {
      if (item.set.negated) {
        parts.complements.push_back(item.set.items);
      } else {
        parts.items += item.set.items;
      }
      continue;
    }
    parts.items += spelled(*item.code_point);
    if (peek() != '-' || at_ + 1 >= source_.size() || source_[at_ + 1] == ']') continue;
    ++at_;
    TERN_TRY(const RegexItem last, class_item(depth, parts));
    if (!last.code_point || *last.code_point < *item.code_point) {
      return fail(ErrorCode::bad_input, "has a range at byte {} that does not ascend", part_);
    }
    parts.items += "-" + spelled(*last.code_point);
  }
  ++at_;
  return {};
}

// One item; a class within the class puts its own into `parts` and comes back as an empty set.
Result<RegexItem> RegexReader::class_item(int depth, ClassParts& parts) {
  if (at_end()) return cut_off("a class");
  if (next_is("\\b")) {
    at_ += 2;
    return RegexItem{.code_point = 0x08};
  }
  if (peek() == '\\') return escape();
  if (peek() != '[') return RegexItem{.code_point = take_character()};
  TERN_TRY(auto posix, posix_class());
  if (posix) return *std::move(posix);
  TERN_TRY_DO(class_in_class(depth, parts));
  return RegexItem{};
}

// "[:name:]", or nothing where the bracket opens another class.
Result<std::optional<RegexItem>> RegexReader::posix_class() {
  const std::size_t end = next_is("[:") ? source_.find(":]", at_ + 2) : std::string_view::npos;
  if (end == std::string_view::npos || end - at_ >= 12) return std::nullopt;
  std::string_view name = source_.substr(at_ + 2, end - at_ - 2);
  const bool negated = name.starts_with('^');
  if (negated) name.remove_prefix(1);
  auto set = posix_set(name);
  if (!set) return unsupported(fmt::format("the class [:{}:]", printable(name)));
  at_ = end + 2;
  return RegexItem{.set = negated ? complement(std::move(*set)) : std::move(*set)};
}

Result<void> RegexReader::class_in_class(int depth, ClassParts& outer) {
  ClassParts inner;
  TERN_TRY_DO(class_parts(depth + 1, inner));
  if (!inner.negated) {
    outer.items += inner.items;
    outer.complements.insert(outer.complements.end(), inner.complements.begin(), inner.complements.end());
  } else if (inner.complements.empty()) {
    outer.complements.push_back(inner.items);
  } else {
    return unsupported("a complement of a complement in a class");
  }
  return {};
}

}  // namespace tern::text
