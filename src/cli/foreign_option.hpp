// Options that fingers know from other programs, foremost llama.cpp's: "-ngl 99", "-no-cnv", "-temp". The parser of the
// command line reads a single dash as a cluster of one-letter options and would answer about -n or take the rest for a
// file's name; here such a word is found before, and gets a reason or the name it has in Tern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

/// What is to be said to `command`'s user of an unknown option that llama.cpp has, without a final full stop; "" for
/// any other word.
[[nodiscard]] std::string_view known_elsewhere(std::string_view flag, const CLI::App& command);

/// Errors: usage, for the first of a command's `words` (without the command) that is such an option and none of
/// `command`'s. Values of options, and everything behind "--", are no options.
[[nodiscard]] Result<void> refuse_foreign_options(const std::vector<std::string>& words, const CLI::App& command);

}  // namespace tern::cli
