// The rules of a byte-level pre-tokeniser, as plain data: each rule splits every piece that the one before it left. It
// runs nothing (text/pre_tokenizer.hpp does) and knows no names (text/pre_names.hpp). Every published kind of rule
// (Split, Digits, Punctuation, Whitespace, ByteLevel) comes down to one: a pattern, what becomes of its matches, and
// which spelling of the text it sees. Source: behaviour of the tokenizers library.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tern::text {

/// What becomes of a match; the text between two matches is a piece.
enum class SplitBehavior {
  removed,               // dropped
  isolated,              // a piece of its own
  merged_with_previous,  // the end of the piece before it, if no match ends there
  merged_with_next,      // the start of the piece after it, if no match starts there
  contiguous,            // matches in a row are one piece
};

struct PreRule {
  std::string pattern;  // in the dialect of text/regex_dialect.hpp; unused when prefix_space
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;        // matches and the text between them change roles
  bool on_bytes = false;      // stands after ByteLevel: sees the printable byte alphabet, one character a byte
  bool prefix_space = false;  // no pattern: puts a space before each piece that has none

  bool operator==(const PreRule&) const = default;
};

using PreRules = std::vector<PreRule>;

/// Bounds on rules from outside; published lists have at most 6 rules and patterns of at most 1 KiB.
inline constexpr std::size_t kMaxPreRules = 32;
inline constexpr std::size_t kMaxPatternBytes = 16 * 1024;

/// GPT-2's pattern, which ByteLevel brings along.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Digits: \p{N}, one by one or as a run.
inline constexpr std::string_view kDigitPattern = R"(\p{N})";
inline constexpr std::string_view kDigitRunPattern = R"(\p{N}+)";

/// What Whitespace keeps. Its \w is Unicode's own, joiners included, and not that of the patterns in tokenizer.json.
inline constexpr std::string_view kWhitespacePattern =
    R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}\s]+)";

/// One sign of Punctuation: ASCII's 32, and Unicode's category P as it stood in version 8, which is what the tokenizers
/// library has (U+166D has left the category since, U+111C9 too; the second class takes back what came after).
inline constexpr std::string_view kPunctuationPattern =
    R"([!-/:-@\[-`{-~\x{166D}\x{111C9}]|[^\P{P}\x{61D}\x{9FD}\x{A76}\x{C77}\x{C84}\x{1B7D}\x{1B7E}\x{2E43}-\x{2E4F})"
    R"(\x{2E52}-\x{2E5D}\x{10EAD}\x{10F55}-\x{10F59}\x{10F86}-\x{10F89}\x{1144B}-\x{1144F}\x{1145A}\x{1145B}\x{1145D})"
    R"(\x{11660}-\x{1166C}\x{116B9}\x{1183B}\x{11944}-\x{11946}\x{119E2}\x{11A3F}-\x{11A46}\x{11A9A}-\x{11A9C})"
    R"(\x{11A9E}-\x{11AA2}\x{11C41}-\x{11C45}\x{11C70}\x{11C71}\x{11EF7}\x{11EF8}\x{11FFF}\x{12FF1}\x{12FF2})"
    R"(\x{16E97}-\x{16E9A}\x{16FE2}\x{1E95E}\x{1E95F}])";

}  // namespace tern::text
