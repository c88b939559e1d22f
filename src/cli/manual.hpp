// Manual pages in troff (man macros), made from the description of the commands.
#pragma once

#include <span>
#include <string>

#include "cli/describe.hpp"

namespace tern::cli {

/// tern(1): the commands and what they have in common.
[[nodiscard]] std::string main_manual(std::span<const CommandText> commands);
/// tern-NAME(1).
[[nodiscard]] std::string command_manual(const CommandText& command);

}  // namespace tern::cli
