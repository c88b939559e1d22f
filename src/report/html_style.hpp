// The style sheet and the script of html.hpp, as text. Nothing here depends on what a page holds.
#pragma once

#include <string_view>

namespace tern::report {

/// CSS of the page: light, dark by preference, and always light on paper.
[[nodiscard]] std::string_view page_style();

/// Sorting of tables by a click on a column head; without scripts the page loses only that.
[[nodiscard]] std::string_view page_script();

}  // namespace tern::report
