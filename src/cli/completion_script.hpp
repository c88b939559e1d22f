// Completion scripts for bash, zsh and fish, made from the description of the commands. The scripts are self-contained:
// they list what this build of the program knows and do not call it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/describe.hpp"

namespace tern::cli {

enum class Shell { bash, zsh, fish };

[[nodiscard]] Result<Shell> shell_by_name(std::string_view name);
[[nodiscard]] std::string completion_script(Shell shell, std::span<const CommandText> commands);

}  // namespace tern::cli
