// What the parser of the command line lets pass although nobody can mean it: an empty value (a variable of the shell
// that is not set), which it reads as 0; a number beyond 64 bits, which it cuts; a leading zero, which it reads as
// octal.
#pragma once

#include "base/error.hpp"
#include "cli/describe.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

/// Errors: usage, for the first such value that `app`, the parsed command, was given.
[[nodiscard]] Result<void> check_values(const CommandText& command, const CLI::App& app);

}  // namespace tern::cli
