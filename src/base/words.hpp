// Words for people: the nearest known name to a mistyped one, byte counts, counts with separators.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tern {

/// ASCII case-insensitive equality.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

/// The candidate with the smallest edit distance to `word` if it is near enough to be meant, else empty.
[[nodiscard]] std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates);

/// " (did you mean X?)" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// "1.13 GB": powers of 1000, three significant digits.
[[nodiscard]] std::string human_bytes(std::uint64_t n_bytes);

/// Whether `word` is one of `words`, which are separated by single spaces.
[[nodiscard]] bool has_word(std::string_view words, std::string_view word);

/// "11,874"
[[nodiscard]] std::string with_separators(std::uint64_t n);

/// At most max_length bytes of text from outside: controls, bidi marks and broken UTF-8 as \xNN, letters as they are.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_length = 60);

}  // namespace tern
