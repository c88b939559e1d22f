// U+2581, which stands for a space in the tokens of SentencePiece's vocabularies, and for the front of a word in
// WordPiece's.
#pragma once

#include <string>
#include <string_view>

namespace tern::text {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

/// A copy in which each space is kSpaceMark, and back; everything else stays.
[[nodiscard]] std::string spaces_to_marks(std::string_view text);
[[nodiscard]] std::string marks_to_spaces(std::string_view text);

}  // namespace tern::text
