#include "cli/command_names.hpp"

#include <algorithm>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/foreign_command.hpp"

namespace tern::cli {
namespace {

const CommandEntry* find(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name, &CommandEntry::name);
  return found == kCommands.end() ? nullptr : &*found;
}

// The one of `names` that begins with `word`, or, where several do, the one that all of them begin with; "" for none.
std::string_view only_beginning(std::string_view word, std::span<const std::string_view> names) {
  std::string_view shortest;
  for (const std::string_view name : names) {
    if (name.starts_with(word) && (shortest.empty() || name.size() < shortest.size())) shortest = name;
  }
  const auto fits = [&](std::string_view name) { return !name.starts_with(word) || name.starts_with(shortest); };
  return word.empty() || !std::ranges::all_of(names, fits) ? std::string_view{} : shortest;
}

// " (did you mean X?)" or "".
std::string meant(std::string_view word, std::span<const std::string_view> names) {
  const std::string_view begun = only_beginning(word, names);
  return begun.empty() ? did_you_mean(word, names) : fmt::format(" (did you mean {}?)", begun);
}

// A command of two words that somebody spelled "tokenizer-train" or "pack".
std::string_view spelled_otherwise(std::string_view word) {
  std::string_view found;
  for (const CommandEntry& entry : kCommands) {
    const std::string_view second = second_word(entry.name);
    if (second.empty()) continue;
    if (hyphenated(entry.name) == word) return entry.name;
    if (second != word) continue;
    if (!found.empty()) return {};
    found = entry.name;
  }
  return found;
}

}  // namespace

std::string_view first_word(std::string_view name) {
  return name.substr(0, name.find(' '));
}

std::string_view second_word(std::string_view name) {
  const std::size_t space = name.find(' ');
  return space == name.npos ? std::string_view{} : name.substr(space + 1);
}

std::string hyphenated(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, ' ', '-');
  return out;
}

std::vector<std::string_view> first_words() {
  std::vector<std::string_view> words;
  for (const CommandEntry& entry : kCommands) {
    const std::string_view word = first_word(entry.name);
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  return words;
}

std::vector<std::string_view> second_words(std::string_view first) {
  std::vector<std::string_view> words;
  for (const CommandEntry& entry : kCommands) {
    const std::string_view second = second_word(entry.name);
    if (!second.empty() && first_word(entry.name) == first) words.push_back(second);
  }
  return words;
}

std::unexpected<Error> second_word_missing(std::string_view group) {
  return fail(ErrorCode::usage, "{0}: expected {1} behind it; see tern {0} --help", group,
              fmt::join(second_words(group), " or "));
}

Result<ChosenCommand> choose_command(std::span<const std::string> words) {
  const std::string& first = words[0];
  const std::vector<std::string_view> seconds = second_words(first);
  if (words.size() > 1 && std::ranges::find(seconds, words[1]) != seconds.end()) {
    return ChosenCommand{.entry = find(first + " " + words[1]), .group = {}, .n_words = 2};
  }
  if (const CommandEntry* entry = find(first)) return ChosenCommand{.entry = entry, .group = {}, .n_words = 1};
  if (!seconds.empty()) {
    if (words.size() == 1 || words[1].starts_with('-')) {
      const auto names = first_words();  // the list's own text, which lives longer than the words
      return ChosenCommand{.entry = nullptr, .group = *std::ranges::find(names, first), .n_words = 1};
    }
    return fail(ErrorCode::usage, "{0}: unknown word \"{1}\"{2}, expected {3}; see tern {0} --help", first,
                printable(words[1]), meant(words[1], seconds), fmt::join(seconds, " or "));
  }
  if (first.ends_with(".gguf")) {
    return fail(ErrorCode::usage,
                "{0}: is a file, expected a command first: tern run {0}, tern chat {0}, tern info {0}",
                printable(first, 100));
  }
  if (const auto advice = command_elsewhere(first); !advice.empty()) {
    return fail(ErrorCode::usage, "unknown command \"{}\": {}; see tern --help", printable(first), advice);
  }
  if (const std::string_view name = spelled_otherwise(first); !name.empty()) {
    return fail(ErrorCode::usage, "unknown command \"{}\" (did you mean {}?); see tern --help", printable(first), name);
  }
  std::vector<std::string_view> names = first_words();
  names.insert(names.begin(), {"help", "version"});
  return fail(ErrorCode::usage, "unknown command \"{}\"{}; see tern --help", printable(first), meant(first, names));
}

}  // namespace tern::cli
