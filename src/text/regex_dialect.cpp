#include "text/regex_dialect.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/words.hpp"
#include "text/regex_classes.hpp"
#include "text/utf8.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr int kMaxNesting = 64;  // of groups or classes; PCRE2 itself allows 250

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string spelled(std::uint32_t code_point) {
  const char c = static_cast<char>(code_point & 0x7F);
  if (code_point < 0x80 && (is_digit(c) || is_ascii_letter(c) || c == ' ')) return std::string(1, c);
  return fmt::format("\\x{{{:X}}}", code_point);
}

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

class Translator {
 public:
  explicit Translator(std::string_view source) : in_(source) {}

  Result<TranslatedRegex> run() {
    if (utf8_valid_prefix(in_) != in_.size()) return fail(ErrorCode::bad_input, "is not UTF-8");
    groups_.push_back({});
    while (at_ < in_.size()) TERN_TRY_DO(step());
    if (groups_.size() > 1) return fail(ErrorCode::bad_input, "has a ( without its )");
    close_options();
    return std::move(out_);
  }

 private:
  struct Group {
    std::size_t start = 0;    // of the group in the output
    std::size_t options = 0;  // option groups opened in it, closed with it
  };
  struct Item {  // of a class: one character or a set
    std::optional<std::uint32_t> code_point = std::nullopt;
    CharSet set = {};
  };

  [[nodiscard]] bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }
  [[nodiscard]] char peek() const { return at_ < in_.size() ? in_[at_] : '\0'; }
  [[nodiscard]] std::unexpected<Error> unsupported(std::string_view what) const {
    return fail(ErrorCode::unsupported, "has {} at byte {}, which this program does not have", what, here_);
  }
  [[nodiscard]] std::unexpected<Error> cut_off(std::string_view what) const {
    return fail(ErrorCode::bad_input, "has {} at byte {} that does not end", what, here_);
  }

  std::uint32_t take_character() {
    const std::string_view rest = in_.substr(at_);
    at_ += utf8_step(rest).length;
    return utf8_code_point(rest);
  }

  void emit(std::string_view text) {
    out_.origins.emplace_back(out_.pattern.size(), here_);
    out_.pattern += text;
  }
  void emit_atom(std::string_view text) {
    atom_ = out_.pattern.size();
    emit(text);
  }
  void emit_set(const CharSet& set) { emit_atom((set.negated ? "[^" : "[") + set.items + "]"); }

  // Makes the last atom with its quantifier an atom.
  void wrap() {
    if (atom_ == kNone) return;
    out_.pattern.insert(atom_, "(?:");
    out_.pattern += ")";
    for (auto& [offset, source] : out_.origins) {
      if (offset >= atom_) offset += 3;
    }
    for (Group& group : groups_) {
      if (group.start > atom_) group.start += 3;
    }
  }

  void close_options() { out_.pattern.append(groups_.back().options, ')'); }

  Result<void> step() {
    here_ = at_;
    switch (const char c = in_[at_]) {
      case '\\':
        return escape();
      case '[': {
        TERN_TRY(const std::string text, char_class(0));
        emit_atom(text);
        break;
      }
      case '(':
        return open_group();
      case ')':
        if (groups_.size() == 1) return fail(ErrorCode::bad_input, "has a ) without its ( at byte {}", at_);
        close_options();
        atom_ = groups_.back().start;
        groups_.pop_back();
        ++at_;
        out_.pattern += ')';
        quantified_ = false;
        return {};
      case '|':
        ++at_;
        emit("|");
        atom_ = kNone;
        return {};
      case '*':
      case '+':
      case '?':
        ++at_;
        return quantifier(std::string(1, c), true);
      case '{':
        return interval();
      case '^':
        ++at_;
        emit_atom("(?m:^)");
        break;
      case '$':
        ++at_;
        emit_atom("(?m:$)");
        break;
      case '.':
        ++at_;
        emit_atom(".");
        break;
      default:
        emit_atom(spelled(take_character()));
    }
    quantified_ = false;
    return {};
  }

  Result<void> quantifier(const std::string& text, bool may_be_possessive) {
    if (atom_ == kNone) return fail(ErrorCode::bad_input, "repeats nothing at byte {}", here_);
    if (quantified_) wrap();
    emit(text);
    if (peek() == '?' || (may_be_possessive && peek() == '+')) out_.pattern += in_[at_++];
    quantified_ = true;
    return {};
  }

  Result<void> interval() {
    std::size_t end = at_ + 1;
    while (end < in_.size() && is_digit(in_[end])) ++end;
    const std::string_view low = in_.substr(at_ + 1, end - at_ - 1);
    const bool has_comma = end < in_.size() && in_[end] == ',';
    std::size_t high_end = end + (has_comma ? 1 : 0);
    while (has_comma && high_end < in_.size() && is_digit(in_[high_end])) ++high_end;
    const std::string_view high = has_comma ? in_.substr(end + 1, high_end - end - 1) : low;
    if (high_end >= in_.size() || in_[high_end] != '}' || (low.empty() && high.empty())) {
      ++at_;
      emit_atom("\\x{7B}");  // no interval: the character itself
      quantified_ = false;
      return {};
    }
    at_ = high_end + 1;
    if (!has_comma) {
      TERN_TRY_DO(fixed_interval(low));
      return {};
    }
    return quantifier(fmt::format("{{{},{}}}", low.empty() ? "0" : low, high), false);
  }

  // "{n}" is greedy only: a ? after it makes the whole optional.
  Result<void> fixed_interval(std::string_view count) {
    if (atom_ == kNone) return fail(ErrorCode::bad_input, "repeats nothing at byte {}", here_);
    if (quantified_) wrap();
    emit(fmt::format("{{{}}}", count));
    quantified_ = true;
    return {};
  }

  Result<void> open_group() {
    if (groups_.size() > kMaxNesting) return unsupported(fmt::format("more than {} groups in groups", kMaxNesting));
    if (next_is("(?#")) {
      const std::size_t end = in_.find(')', at_);
      if (end == std::string_view::npos) return cut_off("a comment");
      at_ = end + 1;
      return {};
    }
    if (!next_is("(?")) return push_group("(?:", 1);  // nothing refers to a group, so none captures
    for (const std::string_view plain : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"}) {
      if (!next_is(plain)) continue;
      if (plain == "(?<=") out_.looks_behind = true;
      return push_group(plain, plain.size());
    }
    if (next_is("(?<")) {
      const std::size_t end = in_.find('>', at_);
      if (end == std::string_view::npos) return cut_off("the name of a group");
      return push_group("(?:", end + 1 - at_);
    }
    return options();
  }

  Result<void> push_group(std::string_view text, std::size_t length) {
    groups_.push_back({out_.pattern.size(), 0});
    at_ += length;
    emit(text);
    atom_ = kNone;
    quantified_ = false;
    return {};
  }

  // "(?i-m:...)" or "(?i)", which holds to the end of the group it stands in, alternatives included.
  Result<void> options() {
    std::string letters = "(?";
    for (std::size_t i = at_ + 2; i < in_.size(); ++i) {
      const char c = in_[i];
      if (c == 'i' || c == '-') {
        letters += c;
      } else if (c == 'm' || c == 's') {
        letters += 's';
      } else if (c == ':') {
        return push_group(letters + ":", i + 1 - at_);
      } else if (c == ')') {
        emit(letters + ":");
        ++groups_.back().options;
        at_ = i + 1;
        atom_ = kNone;
        return {};
      } else {
        return unsupported(fmt::format("the group \"{}\"", printable(in_.substr(at_, i + 1 - at_))));
      }
    }
    return cut_off("a group");
  }

  Result<void> escape() {
    if (at_ + 1 == in_.size()) return cut_off("an escape");
    const char c = in_[at_ + 1];
    const std::string word = "[" + lone_word_set().items + "]";
    quantified_ = false;
    switch (c) {
      case 'b':
      case 'B': {
        out_.looks_behind = true;
        const auto [inside, outside] = c == 'b' ? std::pair{"!", "="} : std::pair{"=", "!"};
        emit_atom(fmt::format("(?:(?<={0})(?{1}{0})|(?<!{0})(?{2}{0}))", word, inside, outside));
        break;
      }
      case 'A':
      case 'z':
      case 'Z':
      case 'G':
      case 'R':
      case 'X':
      case 'N':
        emit_atom({in_.data() + at_, 2});
        break;
      case 'w':
        emit_set(lone_word_set());
        break;
      case 'W':
        emit_set(complement(lone_word_set()));
        break;
      default: {
        TERN_TRY(const Item item, escaped_item());
        if (item.code_point) {
          emit_atom(spelled(*item.code_point));
        } else {
          emit_set(item.set);
        }
        return {};
      }
    }
    at_ += 2;
    return {};
  }

  // What an escape means in a class and outside alike; at_ is at the backslash and moves behind the escape.
  Result<Item> escaped_item() {
    const std::size_t start = at_;
    if (++at_ == in_.size()) return cut_off("an escape");
    const char c = in_[at_];
    if (const auto control = control_of(c)) {
      ++at_;
      return Item{.code_point = control};
    }
    if (!is_ascii_letter(c) && !is_digit(c)) return Item{.code_point = take_character()};
    ++at_;
    switch (c) {
      case 's':
        return Item{.set = space_set()};
      case 'S':
        return Item{.set = complement(space_set())};
      case 'w':
        return Item{.set = word_set()};
      case 'W':
        return Item{.set = complement(word_set())};
      case 'd':
        return Item{.set = property_set("Nd")};
      case 'D':
        return Item{.set = complement(property_set("Nd"))};
      case 'h':
        return Item{.set = hex_set()};
      case 'H':
        return Item{.set = complement(hex_set())};
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
        return unsupported(fmt::format("the escape \"{}\"", printable(in_.substr(start, 2))));
    }
  }

  Result<Item> property(bool negated) {
    const std::size_t end = in_.find('}', at_);
    if (peek() != '{' || end == std::string_view::npos) return cut_off("a property (expected \\p{Name})");
    std::string_view name = in_.substr(at_ + 1, end - at_ - 1);
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    if (name.empty() || !std::ranges::all_of(name, [](char c) {
          return is_ascii_letter(c) || is_digit(c) || c == '_' || c == '-' || c == ' ';
        })) {
      return unsupported(fmt::format("the property \"{}\"", printable(name)));
    }
    at_ = end + 1;
    CharSet set = property_set(name);
    set.negated = negated;
    return Item{.set = std::move(set)};
  }

  Result<Item> braced_number() {
    ++at_;
    TERN_TRY(Item item, number(6, 1, 16));
    if (peek() != '}') return cut_off("an escape (expected \\x{hexadecimal digits})");
    ++at_;
    return item;
  }

  Result<Item> number(std::size_t most, std::size_t least, std::uint32_t base) {
    std::uint32_t value = 0;
    std::size_t n = 0;
    for (; n < most && at_ < in_.size(); ++n, ++at_) {
      const char c = in_[at_];
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : 99;
      if (digit >= static_cast<int>(base)) break;
      value = value * base + static_cast<std::uint32_t>(digit);
    }
    if (n < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
      return fail(ErrorCode::bad_input, "has an escape at byte {} that names no character", here_);
    }
    return Item{.code_point = value};
  }

  // "[...]", as a PCRE2 expression for one character. Sets that are complements cannot stand among other items there,
  // so they become alternatives of the class, or conditions on it if it is a complement itself.
  Result<std::string> char_class(int depth) {
    std::string items;
    std::vector<std::string> complements;
    bool negated = false;
    TERN_TRY_DO(class_items(depth, items, complements, negated));
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

  Result<void> class_items(int depth, std::string& items, std::vector<std::string>& complements, bool& negated) {
    if (depth > kMaxNesting) return unsupported(fmt::format("more than {} classes in classes", kMaxNesting));
    ++at_;
    if (peek() == '^') {
      negated = true;
      ++at_;
    }
    for (bool first = true;; first = false) {
      if (at_ >= in_.size()) return cut_off("a class");
      here_ = at_;
      if (in_[at_] == ']' && !first) break;
      if (next_is("&&")) return unsupported("an intersection of classes (&&)");
      TERN_TRY(const Item item, class_item(depth, items, complements));
      if (!item.code_point) {
        if (item.set.negated) {
          complements.push_back(item.set.items);
        } else {
          items += item.set.items;
        }
        continue;
      }
      items += spelled(*item.code_point);
      if (peek() != '-' || at_ + 1 >= in_.size() || in_[at_ + 1] == ']') continue;
      ++at_;
      TERN_TRY(const Item last, class_item(depth, items, complements));
      if (!last.code_point || *last.code_point < *item.code_point) {
        return fail(ErrorCode::bad_input, "has a range at byte {} that does not ascend", here_);
      }
      items += "-" + spelled(*last.code_point);
    }
    ++at_;
    return {};
  }

  // One item; a class within the class puts its own items into `items` and comes back as an empty set.
  Result<Item> class_item(int depth, std::string& items, std::vector<std::string>& complements) {
    if (at_ >= in_.size()) return cut_off("a class");
    if (next_is("\\b")) {
      at_ += 2;
      return Item{.code_point = 0x08};
    }
    if (in_[at_] == '\\') return escaped_item();
    if (in_[at_] != '[') return Item{.code_point = take_character()};
    if (next_is("[:")) {
      const std::size_t end = in_.find(":]", at_);
      if (end != std::string_view::npos && end - at_ < 12) {
        std::string_view name = in_.substr(at_ + 2, end - at_ - 2);
        const bool negated = name.starts_with('^');
        if (negated) name.remove_prefix(1);
        auto set = posix_set(name);
        if (!set) return unsupported(fmt::format("the class [:{}:]", printable(name)));
        at_ = end + 2;
        return Item{.set = negated ? complement(std::move(*set)) : std::move(*set)};
      }
    }
    std::string inner;
    std::vector<std::string> inner_complements;
    bool negated = false;
    TERN_TRY_DO(class_items(depth + 1, inner, inner_complements, negated));
    if (!negated) {
      items += inner;
      complements.insert(complements.end(), inner_complements.begin(), inner_complements.end());
    } else if (inner_complements.empty()) {
      complements.push_back(inner);
    } else {
      return unsupported("a complement of a complement in a class");
    }
    return Item{};
  }

  std::string_view in_;
  TranslatedRegex out_;
  std::size_t at_ = 0;
  std::size_t here_ = 0;      // start of the part being read, for messages
  std::size_t atom_ = kNone;  // start of the last atom in the output
  bool quantified_ = false;   // the last atom has its quantifier
  std::vector<Group> groups_;
};

}  // namespace

std::size_t TranslatedRegex::source_offset(std::size_t offset) const {
  const auto after = std::ranges::upper_bound(origins, offset, {}, &std::pair<std::size_t, std::size_t>::first);
  return after == origins.begin() ? 0 : std::prev(after)->second;
}

Result<TranslatedRegex> translate_regex(std::string_view source) {
  return Translator(source).run();
}

std::string regex_of_literal(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    const bool is_plain = is_digit(c) || is_ascii_letter(c) || (static_cast<unsigned char>(c) & 0x80U) != 0;
    if (!is_plain) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace tern::text
