// UTF-8 as The Unicode Standard's table 3-7 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
// Text from outside may be anything, so every function says what it does with bytes that are not UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::text {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";             // U+2581, SentencePiece's space

struct Utf8Step {
  std::size_t length = 0;   // bytes of the character, or of the broken bytes to skip (at least 1)
  bool valid = false;       // a whole character
  bool incomplete = false;  // not valid, but more bytes could make it so
};

/// Looks at the first character of `text` (not empty).
[[nodiscard]] Utf8Step utf8_step(std::string_view text);

/// Bytes of the longest prefix that is valid UTF-8.
[[nodiscard]] std::size_t utf8_valid_prefix(std::string_view text);

/// The code point at the front of valid, not empty UTF-8.
[[nodiscard]] std::uint32_t utf8_code_point(std::string_view text);

void append_utf8(std::string& out, std::uint32_t code_point);

/// A copy in which each space is kSpaceMark, and back; everything else stays.
[[nodiscard]] std::string spaces_to_marks(std::string_view text);
[[nodiscard]] std::string marks_to_spaces(std::string_view text);

}  // namespace tern::text
