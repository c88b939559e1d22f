// Makes text from outside safe inside HTML, SVG and other XML. Not a sanitiser of markup: nothing passes as markup.
//
// The result is valid UTF-8 in which & < > " ' are entities and what XML 1.0 forbids is U+FFFD, so it may stand in an
// element or in a quoted attribute of either language.
#pragma once

#include <string>
#include <string_view>

namespace tern::report {

[[nodiscard]] std::string escape(std::string_view text);

/// Length in bytes (1 to 4) of the character that `text` begins with, or 0 for what is not UTF-8 and for U+FFFE and
/// U+FFFF, which are no characters of XML.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace tern::report
