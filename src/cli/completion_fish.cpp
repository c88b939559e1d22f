// The completion script of fish: a line for each thing that can be offered, with the condition when.
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/command_names.hpp"
#include "cli/completion_parts.hpp"

namespace tern::cli {
namespace {

std::string fish_quoted(std::string_view text) {
  return "'" + replaced(text, "\\'", "\\") + "'";
}

std::string fish_values(const OptionText& option) {
  const std::string words = fmt::format("{}", fmt::join(option.words, " "));
  switch (option.offer) {
    case Offer::files:
      return " -r -F";
    case Offer::words:
      return " -x -a " + fish_quoted(words);
    case Offer::words_with_commas:
      return " -x -a " + fish_quoted(fmt::format("(__fish_append , {})", words));
    case Offer::nothing:
      break;
  }
  return " -x";
}

// The condition that the line begins with this command: a file may be called like another one.
std::string fish_condition(const CommandText& command) {
  std::string condition = "__tern_begins " + command.name;
  for (const std::string_view second : second_words(command.name)) {
    condition += fmt::format("; and not __tern_begins {} {}", command.name, second);
  }
  return condition;
}

}  // namespace

std::string fish_script(std::span<const CommandText> commands) {
  std::string out =
      "# Completion of tern for fish, made by `tern completion fish`.\n\n"
      "# Whether the words behind tern begin with these.\n"
      "function __tern_begins\n"
      "  set -l words (commandline -opc)\n"
      "  set -l last (math (count $argv) + 1)\n"
      "  test (count $words) -ge $last; and test \"$words[2..$last]\" = \"$argv\"\n"
      "end\n\n"
      "# Whether they are these and nothing else.\n"
      "function __tern_is\n"
      "  __tern_begins $argv; and test (count (commandline -opc)) -eq (math (count $argv) + 1)\n"
      "end\n\n"
      "complete -c tern -f\n"
      "complete -c tern -n __fish_use_subcommand -l help -s h -d 'the commands'\n"
      "complete -c tern -n __fish_use_subcommand -l version -d 'the version'\n"
      "complete -c tern -n __fish_use_subcommand -a help -d 'the options and examples of a command'\n";
  for (const std::string_view word : first_words()) {
    const std::string summary = fish_quoted(summary_of(commands, word));
    for (const std::string_view before : {"__fish_use_subcommand", "'__tern_is help'"}) {
      out += fmt::format("complete -c tern -n {} -a {} -d {}\n", before, word, summary);
    }
    for (const std::string_view second : second_words(word)) {
      const CommandText* command = find_command(commands, fmt::format("{} {}", word, second));
      for (const std::string_view before : {"", "help "}) {
        out += fmt::format("complete -c tern -n '__tern_is {}{}' -a {} -d {}\n", before, word, second,
                           fish_quoted(command->summary));
      }
    }
  }
  for (const CommandText& command : commands) {
    const std::string head = fmt::format("complete -c tern -n '{}'", fish_condition(command));
    for (const OptionText& option : command.options) {
      std::string line = head;
      if (option.is_argument) {
        if (option.offer == Offer::nothing) continue;
        line += option.offer == Offer::files ? " -F"
                                             : " -a " + fish_quoted(fmt::format("{}", fmt::join(option.words, " "))) +
                                                   " -d " + fish_quoted(option.value);
      } else {
        for (const std::string& name : option.names) {
          line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        }
        if (!option.value.empty()) line += fish_values(option);
        line += " -d " + fish_quoted(option.help);
        if (option.takes_many && option.offer == Offer::files) out += head + " -F\n";
      }
      out += line + "\n";
    }
  }
  return out;
}

}  // namespace tern::cli
