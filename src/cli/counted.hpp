// "1 part", "21 parts": a number and its noun for people. English plurals in -s alone; no other language.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/words.hpp"

namespace tern::cli {

/// `noun` is the singular; `n` is not negative.
[[nodiscard]] std::string counted(std::integral auto n, std::string_view noun) {
  return with_separators(static_cast<std::uint64_t>(n)).append(" ").append(noun).append(n == 1 ? "" : "s");
}

}  // namespace tern::cli
