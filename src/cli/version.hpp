// What `tern --version` says.
#pragma once

#include <string_view>

namespace tern::cli {

[[nodiscard]] constexpr std::string_view version_text() {
  return "tern 0.1.0";
}

}  // namespace tern::cli
