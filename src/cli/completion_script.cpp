#include "cli/completion_script.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/words.hpp"
#include "cli/command_names.hpp"
#include "cli/completion_parts.hpp"

namespace tern::cli {
namespace {

constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};

}  // namespace

std::string replaced(std::string_view text, std::string_view characters, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) out += before;
    out += c;
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

const CommandText* find_command(std::span<const CommandText> commands, std::string_view name) {
  const auto found = std::ranges::find(commands, name, &CommandText::name);
  return found == commands.end() ? nullptr : &*found;
}

std::string summary_of(std::span<const CommandText> commands, std::string_view first) {
  const CommandText* command = find_command(commands, first);
  return command == nullptr ? fmt::format("{} {}", first, fmt::join(second_words(first), "|")) : command->summary;
}

std::vector<std::string_view> words_with_second() {
  std::vector<std::string_view> words = first_words();
  std::erase_if(words, [](std::string_view word) { return second_words(word).empty(); });
  return words;
}

Result<Shell> shell_by_name(std::string_view name) {
  for (std::size_t i = 0; i < kShells.size(); ++i) {
    if (kShells[i] == name) return static_cast<Shell>(i);
  }
  return fail(ErrorCode::usage, "completion: SHELL is \"{}\"{}, expected one of {}", printable(name),
              did_you_mean(name, kShells), fmt::join(kShells, ", "));
}

std::string completion_script(Shell shell, std::span<const CommandText> commands) {
  if (shell == Shell::bash) return bash_script(commands);
  return shell == Shell::zsh ? zsh_script(commands) : fish_script(commands);
}

}  // namespace tern::cli
