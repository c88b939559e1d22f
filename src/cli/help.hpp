// The help texts, made from the list of commands and from the options each declares: nothing is written twice.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace tern::cli {

/// `tern --help`: the commands by group.
[[nodiscard]] std::string main_help();
/// `tern NAME --help`: usage, options, notes, examples.
[[nodiscard]] std::string command_help(const CommandEntry& entry, const CLI::App& app, const Command& command);

}  // namespace tern::cli
