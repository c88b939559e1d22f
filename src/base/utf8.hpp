// UTF-8 as The Unicode Standard's table 3-7 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
// Text from outside may be anything, so every function says what it does with bytes that are not UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

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

/// Of a byte in valid UTF-8: no character begins with it.
[[nodiscard]] inline bool is_utf8_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace tern
