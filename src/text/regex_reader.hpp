// A place in a pattern of tokenizer.json, and the reading of those of its parts that stand for one character: escapes
// and classes in brackets, as PCRE2 spells them. What joins such parts (groups, repeats, alternatives) is read by
// text/regex_dialect.cpp, whose opening comment says which dialect this is and what is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/regex_classes.hpp"

namespace tern::text {

inline bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// One code point so that PCRE2 never takes it for anything but itself.
[[nodiscard]] std::string spelled(std::uint32_t code_point);

/// What an escape or an item of a class stands for: one character or, without a code point, any of a set.
struct RegexItem {
  std::optional<std::uint32_t> code_point = std::nullopt;
  CharSet set = {};
};

class RegexReader {
 public:
  static constexpr int kMaxNesting = 64;  // of groups or classes; PCRE2 itself allows 250

  /// `source` is borrowed and must be UTF-8.
  explicit RegexReader(std::string_view source) : source_(source) {}

  [[nodiscard]] bool at_end() const { return at_ >= source_.size(); }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::string_view rest() const { return source_.substr(at_); }
  /// '\0' at the end.
  [[nodiscard]] char peek() const { return at_end() ? '\0' : source_[at_]; }
  [[nodiscard]] bool next_is(std::string_view text) const { return rest().starts_with(text); }
  void skip(std::size_t n_bytes) { at_ += n_bytes; }
  std::uint32_t take_character();

  /// A new part begins here; errors name its place.
  void begin_part() { part_ = at_; }
  [[nodiscard]] std::size_t part() const { return part_; }
  [[nodiscard]] std::unexpected<Error> unsupported(std::string_view what) const;
  [[nodiscard]] std::unexpected<Error> cut_off(std::string_view what) const;

  /// The escape at the backslash before us, for those that mean the same in a class and outside.
  [[nodiscard]] Result<RegexItem> escape();
  /// The class at the bracket before us, as a PCRE2 expression for one character.
  [[nodiscard]] Result<std::string> char_class();

 private:
  struct ClassParts {
    std::string items;
    std::vector<std::string> complements;  // each of them what a set leaves out
    bool negated = false;
  };

  [[nodiscard]] Result<RegexItem> property(bool negated);
  [[nodiscard]] Result<RegexItem> braced_number();
  [[nodiscard]] Result<RegexItem> number(std::size_t most, std::size_t least, std::uint32_t base);
  [[nodiscard]] Result<void> class_parts(int depth, ClassParts& parts);
  [[nodiscard]] Result<RegexItem> class_item(int depth, ClassParts& parts);
  [[nodiscard]] Result<std::optional<RegexItem>> posix_class();
  [[nodiscard]] Result<void> class_in_class(int depth, ClassParts& outer);

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t part_ = 0;
};

}  // namespace tern::text
