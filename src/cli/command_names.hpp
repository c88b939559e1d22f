// Names of commands: one word ("run") or two ("tokenizer train"). The first word of two is a group when nothing is
// called so by itself ("tokenizer"), or a command with others behind it ("train", "train export"). All that follows
// from a name being two words is here: which command the first words of a command line mean, what may follow a first
// word, what a page is called. It parses no options.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/command.hpp"

namespace tern::cli {

/// "tokenizer" of "tokenizer train", "run" of "run".
[[nodiscard]] std::string_view first_word(std::string_view name);
/// "train" of "tokenizer train", "" of "run".
[[nodiscard]] std::string_view second_word(std::string_view name);
/// "tokenizer-train": the name as one word, for the title of its page.
[[nodiscard]] std::string hyphenated(std::string_view name);

/// The first words of all commands, each once, in the order of the list.
[[nodiscard]] std::vector<std::string_view> first_words();
/// What may follow this first word to make a command's name; empty for most.
[[nodiscard]] std::vector<std::string_view> second_words(std::string_view first);

struct ChosenCommand {
  const CommandEntry* entry = nullptr;  // null: the group alone
  std::string_view group;               // set where entry is null
  std::size_t n_words = 0;              // how many of the words name it
};

/// The command that the words begin with; the group where its word stands alone or options follow. Requires: at least
/// one word. Errors: usage, with the nearest name or with what the word means elsewhere.
[[nodiscard]] Result<ChosenCommand> choose_command(std::span<const std::string> words);

/// Errors: usage, with the words that may follow a group's.
[[nodiscard]] std::unexpected<Error> second_word_missing(std::string_view group);

}  // namespace tern::cli
