// From the regular expressions of tokenizer.json (Oniguruma with Ruby's syntax) to PCRE2's. Not an engine: it rewrites
// what the two spell differently and refuses, by name, what it does not know, so that no pattern runs as something
// else. Rewritten: \s \w \d \h \b and POSIX classes (as Oniguruma's Unicode tables have them), \p{Script} (the script
// alone, without its extensions), ^ and $ (at every line), (?m) (dot takes newlines), {,n}, {n,m}+ (not possessive
// there), {n}? (optional there), classes within classes, options in mid-pattern. Refused: &&, backreferences, calls,
// conditions, \K,
// (?x). Different on purpose: without case, one character never equals two (Oniguruma lets "ss" match U+00DF).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace tern::text {

struct TranslatedRegex {
  std::string pattern;        // for PCRE2 with UTF, UCP and newline LF; has no capturing groups
  bool looks_behind = false;  // asks that something stands before the match
  /// Where each part of `pattern` came from: {offset in pattern, offset in the source}, ascending.
  std::vector<std::pair<std::size_t, std::size_t>> origins;

  /// The offset in the source of what stands at `offset` of the pattern.
  [[nodiscard]] std::size_t source_offset(std::size_t offset) const;
};

/// Errors: unsupported, with the byte offset of what is not known; bad_input for what is cut off or not UTF-8.
[[nodiscard]] Result<TranslatedRegex> translate_regex(std::string_view source);

/// The pattern that matches `literal` and nothing else, in the dialect of tokenizer.json.
[[nodiscard]] std::string regex_of_literal(std::string_view literal);

/// A pattern with the same matches on every text that runs in linear time, where the published spelling does not; else
/// the pattern itself.
[[nodiscard]] std::string_view linear_spelling(std::string_view pattern);

}  // namespace tern::text
