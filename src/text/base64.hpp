// Base64 with padding (RFC 4648, section 4), decoding only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tern::text {

/// The bytes; nothing for an empty text, a wrong length or a character outside the alphabet.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace tern::text
