// The help texts, made from the list of commands and from the options each declares: nothing is written twice.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace tern::cli {

/// `tern --help`: the commands by group.
[[nodiscard]] std::string main_help();
/// `tern tokenizer --help`: the commands that begin with this word.
[[nodiscard]] std::string group_help(std::string_view group);
/// `tern NAME --help`: usage, options, notes, examples.
[[nodiscard]] std::string command_help(const CommandEntry& entry, const CLI::App& app, const Command& command);

}  // namespace tern::cli
