// How many terminal columns a text takes. A short table of the wide and the zero-width blocks, not all of Unicode:
// good for names, numbers and ordinary writing in any script. Source: Unicode Standard Annex 11, categories Mn and Me.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tern::report {

/// Columns of `text`; invalid bytes and control characters count one each, as terminal_text shows them.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// One line that is safe in a terminal: newline and tab become a space, other controls and invalid bytes U+FFFD.
[[nodiscard]] std::string terminal_text(std::string_view text);

}  // namespace tern::report
