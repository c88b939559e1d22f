// A command as plain data: what its options are called, take and mean, read off what it declared. Completion scripts
// and man pages are made from this, help.cpp from the same declarations; nothing about a command is written twice.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace CLI {
class Option;
}

namespace tern::cli {

/// What a shell offers as an option's value.
enum class Offer { nothing, files, words, words_with_commas };

struct OptionText {
  std::vector<std::string> names;  // "-m", "--model"; of an argument its one name: "IN"
  std::string value;               // "FILE"; "" for a flag
  std::string help;
  bool is_argument = false;
  bool is_required = false;
  bool takes_many = false;  // several words after one name, or all arguments that are left
  Offer offer = Offer::nothing;
  std::vector<std::string> words;
};

struct CommandText {
  std::string name;
  std::string summary;
  std::string footer;  // a table or notes, as they are; "" for none
  std::vector<std::string> examples;
  std::vector<OptionText> options;  // without the ones that help does not show; --help comes last
};

/// What "FORMAT" stands for, in the order of the list.
[[nodiscard]] std::vector<std::string> format_names();

[[nodiscard]] CommandText describe(const CommandEntry& entry, const CLI::App& app, const Command& command);

/// "N", where CLI11 would say "N:INT in [0 - 1024]".
[[nodiscard]] std::string value_label(const CLI::Option& option);

/// Usage: tern NAME with what is required, [options] and the arguments.
[[nodiscard]] std::string usage_of(const CommandText& command);

}  // namespace tern::cli
