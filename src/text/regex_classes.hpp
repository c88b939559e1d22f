// Sets of characters by name, as Oniguruma knows them, in PCRE2's spelling. Data for text/regex_reader.cpp and
// text/regex_dialect.cpp alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tern::text {

/// What stands between [ and ] of a class, and whether it is the complement that is meant.
struct CharSet {
  std::string items;
  bool negated = false;
};

/// \s: the property White_Space. PCRE2's own \s under UCP holds U+180E, which left that property in Unicode 6.3.
[[nodiscard]] CharSet space_set();
/// \w in a class: Alphabetic, marks, decimal digits and connectors.
[[nodiscard]] CharSet word_set();
/// \w by itself and at \b: the raised digits and fractions of Latin-1 as well, an oddity of Oniguruma.
[[nodiscard]] CharSet lone_word_set();
/// \h: a hexadecimal digit.
[[nodiscard]] CharSet hex_set();

/// \p{name}: a general category (short or long name), a POSIX-like name, some binary properties; any other name is
/// taken for a script, which PCRE2 then knows or refuses. Letter case, spaces, - and _ in names do not count.
[[nodiscard]] CharSet property_set(std::string_view name);

/// [:name:], or nothing if the name is not known.
[[nodiscard]] std::optional<CharSet> posix_set(std::string_view name);

/// The other characters.
[[nodiscard]] CharSet complement(CharSet set);

}  // namespace tern::text
