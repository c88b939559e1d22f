// What is wrong with a command line, in one line that names the word and the way out. The argument parser's own
// messages speak of its classes; these speak of the command.
#pragma once

#include "base/error.hpp"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace tern::cli {

/// `command`: the sub-command that was being parsed.
[[nodiscard]] Error usage_error(const CLI::ParseError& error, const CLI::App& command);

}  // namespace tern::cli
