// A value that is a list of whole numbers, "128,512": every member is checked, and one that stands twice counts once.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tern::cli {

/// The most numbers of a list.
inline constexpr std::size_t kLongestList = 64;

/// `option` begins the message. Errors: usage for what is no number, is outside [least, most] or is too long a list.
[[nodiscard]] Result<std::vector<std::int64_t>> read_numbers(std::string_view option, std::string_view text,
                                                             std::int64_t least, std::int64_t most);

/// The members between commas, each once; "" is one empty member. Errors: usage for too long a list.
[[nodiscard]] Result<std::vector<std::string_view>> read_words(std::string_view option, std::string_view text);

}  // namespace tern::cli
