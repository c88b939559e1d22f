#include "text/regex_dialect.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "text/regex_classes.hpp"
#include "text/regex_reader.hpp"

namespace tern::text {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

class Translator {
 public:
  explicit Translator(std::string_view source) : in_(source) {}

  Result<TranslatedRegex> run() {
    groups_.push_back({});
    while (!in_.at_end()) TERN_TRY_DO(step());
    if (groups_.size() > 1) return fail(ErrorCode::bad_input, "has a ( without its )");
    close_options();
    return std::move(out_);
  }

 private:
  struct Group {
    std::size_t start = 0;    // of the group in the output
    std::size_t options = 0;  // option groups opened in it, closed with it
  };

  void emit(std::string_view text) {
    out_.origins.emplace_back(out_.pattern.size(), in_.part());
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
    in_.begin_part();
    switch (const char c = in_.peek()) {
      case '\\':
        return escape();
      case '[': {
        TERN_TRY(const std::string text, in_.char_class());
        emit_atom(text);
        break;
      }
      case '(':
        return open_group();
      case ')':
        if (groups_.size() == 1) return fail(ErrorCode::bad_input, "has a ) without its ( at byte {}", in_.part());
        close_options();
        atom_ = groups_.back().start;
        groups_.pop_back();
        in_.skip(1);
        out_.pattern += ')';
        quantified_ = false;
        return {};
      case '|':
        in_.skip(1);
        emit("|");
        atom_ = kNone;
        return {};
      case '*':
      case '+':
      case '?':
        in_.skip(1);
        return quantifier(std::string(1, c), "?+");
      case '{':
        return interval();
      case '^':
        in_.skip(1);
        emit_atom("(?m:^)");
        break;
      case '$':
        in_.skip(1);
        emit_atom("(?m:$)");
        break;
      case '.':
        in_.skip(1);
        emit_atom(".");
        break;
      default:
        emit_atom(spelled(in_.take_character()));
    }
    quantified_ = false;
    return {};
  }

  // `may_follow`: the signs that make this repeat lazy or possessive.
  Result<void> quantifier(const std::string& text, std::string_view may_follow) {
    if (atom_ == kNone) return fail(ErrorCode::bad_input, "repeats nothing at byte {}", in_.part());
    if (quantified_) wrap();
    emit(text);
    quantified_ = true;
    if (in_.at_end() || !may_follow.contains(in_.peek())) return {};
    out_.pattern += in_.peek();
    in_.skip(1);
    return {};
  }

  Result<void> interval() {
    const std::string_view text = in_.rest();
    std::size_t end = 1;
    while (end < text.size() && is_ascii_digit(text[end])) ++end;
    const std::string_view low = text.substr(1, end - 1);
    const bool has_comma = end < text.size() && text[end] == ',';
    std::size_t high_end = end + (has_comma ? 1 : 0);
    while (has_comma && high_end < text.size() && is_ascii_digit(text[high_end])) ++high_end;
    const std::string_view high = has_comma ? text.substr(end + 1, high_end - end - 1) : low;
    if (high_end >= text.size() || text[high_end] != '}' || (low.empty() && high.empty())) {
      in_.skip(1);
      emit_atom("\\x{7B}");  // no interval: the character itself
      quantified_ = false;
      return {};
    }
    in_.skip(high_end + 1);
    // "{n}" is greedy only: a ? after it makes the whole optional. A + after either repeats the whole.
    if (!has_comma) return quantifier(fmt::format("{{{}}}", low), "");
    return quantifier(fmt::format("{{{},{}}}", low.empty() ? "0" : low, high), "?");
  }

  Result<void> open_group() {
    if (groups_.size() > RegexReader::kMaxNesting) {
      return in_.unsupported(fmt::format("more than {} groups in groups", RegexReader::kMaxNesting));
    }
    if (in_.next_is("(?#")) {
      const std::size_t end = in_.rest().find(')');
      if (end == std::string_view::npos) return in_.cut_off("a comment");
      in_.skip(end + 1);
      return {};
    }
    if (!in_.next_is("(?")) return push_group("(?:", 1);  // nothing refers to a group, so none captures
    for (const std::string_view plain : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"}) {
      if (!in_.next_is(plain)) continue;
      if (plain == "(?<=") out_.looks_behind = true;
      return push_group(plain, plain.size());
    }
    if (in_.next_is("(?<")) {
      const std::size_t end = in_.rest().find('>');
      if (end == std::string_view::npos) return in_.cut_off("the name of a group");
      return push_group("(?:", end + 1);
    }
    return options();
  }

  Result<void> push_group(std::string_view text, std::size_t length) {
    groups_.push_back({out_.pattern.size(), 0});
    in_.skip(length);
    emit(text);
    atom_ = kNone;
    quantified_ = false;
    return {};
  }

  // "(?i-m:...)" or "(?i)", which holds to the end of the group it stands in, alternatives included.
  Result<void> options() {
    const std::string_view text = in_.rest();
    std::string letters = "(?";
    for (std::size_t i = 2; i < text.size(); ++i) {
      const char c = text[i];
      if (c == 'i' || c == '-') {
        letters += c;
      } else if (c == 'm' || c == 's') {
        letters += 's';
      } else if (c == ':') {
        return push_group(letters + ":", i + 1);
      } else if (c == ')') {
        emit(letters + ":");
        ++groups_.back().options;
        in_.skip(i + 1);
        atom_ = kNone;
        return {};
      } else {
        return in_.unsupported(fmt::format("the group \"{}\"", printable(text.substr(0, i + 1))));
      }
    }
    return in_.cut_off("a group");
  }

  Result<void> escape() {
    const std::string_view text = in_.rest().substr(0, 2);
    if (text.size() < 2) return in_.cut_off("an escape");
    const char c = text[1];
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
        emit_atom(text);
        break;
      case 'w':
        emit_set(lone_word_set());
        break;
      case 'W':
        emit_set(complement(lone_word_set()));
        break;
      default: {
        TERN_TRY(const RegexItem item, in_.escape());
        if (item.code_point) {
          emit_atom(spelled(*item.code_point));
        } else {
          emit_set(item.set);
        }
        return {};
      }
    }
    in_.skip(2);
    return {};
  }

  RegexReader in_;
  TranslatedRegex out_;
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
  if (utf8_valid_prefix(source) != source.size()) return fail(ErrorCode::bad_input, "is not UTF-8");
  return Translator(source).run();
}

std::string regex_of_literal(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    const bool is_plain = is_ascii_digit(c) || is_ascii_letter(c) || (static_cast<unsigned char>(c) & 0x80U) != 0;
    if (!is_plain) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace tern::text
