// What is wrong with a command line, in one line that names the word and the way out. The argument parser's own
// messages speak of its classes; these speak of the command.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace tern::cli {

/// `command`: the sub-command that was being parsed; `stray_hint` is said where there is one argument too many.
[[nodiscard]] Error usage_error(const CLI::ParseError& error, const CLI::App& command, std::string_view stray_hint);

}  // namespace tern::cli
