// The printable byte alphabet of byte-level BPE files: each of the 256 bytes has one printable character, so that
// tokens which are any bytes can be kept in JSON. The 188 bytes that are printable in Latin-1 stand for themselves; the
// other 68 take U+0100, U+0101, ... in order (space is U+0120). Source: GPT-2's published vocabulary, which spells it
// out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tern::text {

/// Spells bytes in the alphabet.
[[nodiscard]] std::string to_byte_alphabet(std::string_view bytes);

/// The bytes that a spelling means; nothing if it holds a character outside the alphabet or is not UTF-8.
[[nodiscard]] std::optional<std::string> from_byte_alphabet(std::string_view spelling);

/// The same, but characters outside the alphabet stay as they are.
[[nodiscard]] std::string from_byte_alphabet_or_same(std::string_view spelling);

}  // namespace tern::text
