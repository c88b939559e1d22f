// Unicode's algorithms on text that need not be valid UTF-8: the four normal forms, lower case, and the classes of
// characters that tokenizers ask for. Broken bytes are kept where they are and nothing composes across them. Not a
// general library: the tables are utf8proc's (Unicode 14), and marks are put into order by our own stable sort, so that
// a megabyte of marks takes n log n. Source: Unicode Standard Annex 15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"

namespace tern::text {

enum class NormalForm { nfc, nfd, nfkc, nfkd };

/// Appends the normal form of `text` to `out` and says true; where `text` is in that form already (told by a quick
/// check that may miss some), says false and leaves `out` alone. ASCII costs one look.
[[nodiscard]] bool to_normal_form(std::string_view text, NormalForm form, std::string& out);

/// Appends each character in lower case, without regard to its neighbours (U+0130 becomes two characters).
void append_lower(std::string_view text, std::string& out);

/// The property White_Space.
[[nodiscard]] bool is_white_space(std::uint32_t code_point);
/// General category P*, and the symbols of ASCII ("$", "+", "`", ...): what BERT splits at.
[[nodiscard]] bool is_bert_punctuation(std::uint32_t code_point);
/// Categories Cc, Cf and Co.
[[nodiscard]] bool is_control_or_format(std::uint32_t code_point);
/// Category Mn.
[[nodiscard]] bool is_nonspacing_mark(std::uint32_t code_point);
/// Categories Mn, Mc and Me.
[[nodiscard]] bool is_mark(std::uint32_t code_point);

/// The number of bytes of `text` (not empty) that a reader sees as one character: an extended grapheme cluster. A
/// broken byte is one by itself.
[[nodiscard]] std::size_t grapheme_bytes(std::string_view text);

/// The number of leading bytes that are ASCII.
[[nodiscard]] std::size_t ascii_prefix(std::string_view text);

/// Calls visit(code_point, bytes) for each character and visit_broken(bytes) for bytes that are none.
template <typename Visit, typename VisitBroken>
void for_each_character(std::string_view text, const Visit& visit, const VisitBroken& visit_broken) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte < 0x80) {
      visit(std::uint32_t{byte}, text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    const Utf8Step step = utf8_step(text);
    const std::string_view bytes = text.substr(0, step.length);
    if (step.valid) {
      visit(utf8_code_point(bytes), bytes);
    } else {
      visit_broken(bytes);
    }
    text.remove_prefix(step.length);
  }
}

}  // namespace tern::text
