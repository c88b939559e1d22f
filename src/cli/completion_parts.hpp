// What the completion scripts of all shells are put together from; each shell's script is in a file of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/describe.hpp"

namespace tern::cli {

/// `before` put before each of these characters.
[[nodiscard]] std::string replaced(std::string_view text, std::string_view characters, std::string_view before);
/// As a single-quoted word of bash and zsh.
[[nodiscard]] std::string quoted(std::string_view text);
/// Null where there is none.
[[nodiscard]] const CommandText* find_command(std::span<const CommandText> commands, std::string_view name);
/// What a first word is about: its command's summary, or the words that may follow.
[[nodiscard]] std::string summary_of(std::span<const CommandText> commands, std::string_view first);
/// The first words behind which a second one may stand.
[[nodiscard]] std::vector<std::string_view> words_with_second();

[[nodiscard]] std::string bash_script(std::span<const CommandText> commands);
[[nodiscard]] std::string zsh_script(std::span<const CommandText> commands);
[[nodiscard]] std::string fish_script(std::span<const CommandText> commands);

}  // namespace tern::cli
