#include "text/regex_classes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tern::text {

namespace {

using Row = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kSpace =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kLatinNumbers = R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";
constexpr std::string_view kHex = "0-9A-Fa-f";
constexpr std::string_view kAlnum = R"(\p{Alphabetic}\p{Nd})";

// General categories by their long names, in lower case and without separators.
constexpr std::array kLongNames = {Row{"letter", "L"},
                                   Row{"casedletter", "L&"},
                                   Row{"uppercaseletter", "Lu"},
                                   Row{"lowercaseletter", "Ll"},
                                   Row{"titlecaseletter", "Lt"},
                                   Row{"modifierletter", "Lm"},
                                   Row{"otherletter", "Lo"},
                                   Row{"mark", "M"},
                                   Row{"nonspacingmark", "Mn"},
                                   Row{"spacingmark", "Mc"},
                                   Row{"enclosingmark", "Me"},
                                   Row{"number", "N"},
                                   Row{"decimalnumber", "Nd"},
                                   Row{"letternumber", "Nl"},
                                   Row{"othernumber", "No"},
                                   Row{"punctuation", "P"},
                                   Row{"connectorpunctuation", "Pc"},
                                   Row{"dashpunctuation", "Pd"},
                                   Row{"openpunctuation", "Ps"},
                                   Row{"closepunctuation", "Pe"},
                                   Row{"initialpunctuation", "Pi"},
                                   Row{"finalpunctuation", "Pf"},
                                   Row{"otherpunctuation", "Po"},
                                   Row{"symbol", "S"},
                                   Row{"mathsymbol", "Sm"},
                                   Row{"currencysymbol", "Sc"},
                                   Row{"modifiersymbol", "Sk"},
                                   Row{"othersymbol", "So"},
                                   Row{"separator", "Z"},
                                   Row{"spaceseparator", "Zs"},
                                   Row{"lineseparator", "Zl"},
                                   Row{"paragraphseparator", "Zp"},
                                   Row{"other", "C"},
                                   Row{"control", "Cc"},
                                   Row{"format", "Cf"},
                                   Row{"surrogate", "Cs"},
                                   Row{"privateuse", "Co"},
                                   Row{"unassigned", "Cn"},
                                   Row{"lc", "L&"},
                                   Row{"alpha", "Alphabetic"},
                                   Row{"alphabetic", "Alphabetic"},
                                   Row{"upper", "Uppercase"},
                                   Row{"uppercase", "Uppercase"},
                                   Row{"lower", "Lowercase"},
                                   Row{"lowercase", "Lowercase"},
                                   Row{"digit", "Nd"},
                                   Row{"cntrl", "Cc"},
                                   Row{"punct", "P"},
                                   Row{"any", "Any"}};

constexpr std::array<std::string_view, 37> kShortNames = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Cs", "Co", "Cn"};

constexpr std::array<std::string_view, 12> kBinary = {
    "emoji", "emojipresentation", "emojimodifier", "emojimodifierbase", "emojicomponent", "extendedpictographic",
    "math",  "ideographic",       "xidstart",      "xidcontinue",       "idstart",        "idcontinue"};

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return out;
}

CharSet property(std::string_view name) {
  return {.items = "\\p{" + std::string(name) + "}"};
}

}  // namespace

CharSet space_set() {
  return {.items = std::string(kSpace)};
}
CharSet word_set() {
  return {.items = std::string(kWord)};
}
CharSet lone_word_set() {
  return {.items = std::string(kWord) + std::string(kLatinNumbers)};
}
CharSet hex_set() {
  return {.items = std::string(kHex)};
}

CharSet property_set(std::string_view name) {
  const std::string key = folded(name);
  for (const std::string_view short_name : kShortNames) {
    if (folded(short_name) == key) return property(short_name);
  }
  for (const auto& [long_name, short_name] : kLongNames) {
    if (long_name == key) return property(short_name);
  }
  if (key == "space" || key == "whitespace") return space_set();
  if (key == "word") return word_set();
  if (key == "alnum") return {.items = std::string(kAlnum)};
  if (key == "xdigit" || key == "asciihexdigit") return hex_set();
  if (key == "ascii") return {.items = R"(\x{0}-\x{7F})"};
  if (key == "blank") return {.items = R"(\p{Zs}\t)"};
  return std::ranges::find(kBinary, key) != kBinary.end() ? property(key) : property("sc:" + key);
}

std::optional<CharSet> posix_set(std::string_view name) {
  if (name == "punct") return CharSet{.items = R"(\p{P}\p{S})"};
  for (const std::string_view known :
       {"alpha", "alnum", "digit", "space", "upper", "lower", "word", "blank", "cntrl", "xdigit", "ascii"}) {
    if (name == known) return property_set(name);
  }
  return std::nullopt;
}

CharSet complement(CharSet set) {
  set.negated = !set.negated;
  return set;
}

}  // namespace tern::text
