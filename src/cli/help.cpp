#include "cli/help.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "cli/all.hpp"
#include "cli/command_names.hpp"
#include "cli/describe.hpp"
#include "cli/exit_code.hpp"
#include "cli/version.hpp"

namespace tern::cli {
namespace {

constexpr std::size_t kWidth = 100;
// The column behind the names of commands.
constexpr std::size_t kNames =
    4 + std::max(std::size_t{12}, std::ranges::max(kCommands, {}, [](const CommandEntry& entry) {
                                    return entry.name.size();
                                  }).name.size());
constexpr std::string_view kHelpGroup = "Help";  // comes last, with what is no command

// `text` in lines of at most kWidth, the first after `lead` and the others below it.
std::string hanging(std::string lead, std::size_t indent, std::string_view text) {
  if (lead.size() + 2 > indent) {
    lead += '\n';
    lead.append(indent, ' ');
  } else {
    lead.append(indent - lead.size(), ' ');
  }
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > kWidth) {
      lead += '\n';
      lead.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lead += ' ';
      ++column;
    }
    lead += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lead + '\n';
}

std::string names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  // Long names line up whether or not there is a short one.
  std::string text = option.get_snames().empty() ? "    " : "";
  text += fmt::format("{}", fmt::join(names, ", "));
  if (option.get_expected_max() > 0) text += " " + value_label(option);
  return text;
}

// The commands whose name begins with `first` and has a second word, one a line.
std::string lines_of_group(std::string_view first) {
  std::string lines;
  for (const CommandEntry& entry : kCommands) {
    if (first_word(entry.name) != first || second_word(entry.name).empty()) continue;
    lines += hanging(fmt::format("  tern {}", entry.name), kNames + 5, entry.summary);
  }
  return lines;
}

}  // namespace

std::string group_help(std::string_view group) {
  return fmt::format("tern {0}: takes a second word\n\nUsage: tern {0} {1} [options]\n\nCommands\n{2}", group,
                     fmt::join(second_words(group), "|"), lines_of_group(group));
}

std::string main_help() {
  std::string text = fmt::format(
      "{}: train, convert, quantise, measure and run 1-bit, ternary and low-bit language models on CPUs\n\n"
      "Usage: tern COMMAND [options]\n",
      version_text());
  std::vector<std::string_view> groups;
  for (const CommandEntry& entry : kCommands) {
    if (std::ranges::find(groups, entry.group) == groups.end()) groups.push_back(entry.group);
  }
  std::ranges::stable_partition(groups, [](std::string_view group) { return group != kHelpGroup; });
  if (groups.empty() || groups.back() != kHelpGroup) groups.push_back(kHelpGroup);
  for (const std::string_view group : groups) {
    text += fmt::format("\n{}\n", group);
    for (const CommandEntry& entry : kCommands) {
      if (entry.group == group) text += hanging(fmt::format("  {}", entry.name), kNames, entry.summary);
    }
  }
  text += hanging("  help COMMAND", kNames, "its options and examples (the same as tern COMMAND --help)");
  text +=
      hanging("  help --man", kNames, "the manual page of tern, or with a COMMAND behind it of that command, in troff");
  text += hanging("  --version, -V", kNames, "the version");
  std::string codes;
  for (const ExitCodeText& exit : kExitCodes)
    codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", exit.code, exit.meaning);
  return text + "\n" + hanging("Exit codes:", 13, codes + ".");
}

std::string command_help(const CommandEntry& entry, const CLI::App& app, const Command& command) {
  std::string text =
      fmt::format("tern {}: {}\n\nUsage: {}\n", entry.name, entry.summary, usage_of(describe(entry, app, command)));
  std::size_t indent = 0;
  for (const CLI::Option* option : app.get_options()) {
    const std::size_t length = option->get_positional() ? option->get_name(true).size() : names_of(*option).size();
    if (length <= 34) indent = std::max(indent, length + 4);
  }
  const auto section = [&](std::string_view title, bool positional) {
    std::string lines;
    std::vector<const CLI::Option*> options = app.get_options();
    std::ranges::stable_partition(options, [&](const CLI::Option* option) { return option != app.get_help_ptr(); });
    for (const CLI::Option* option : options) {
      if (option->get_positional() != positional || option->get_description().empty()) continue;  // none: internal
      const std::string lead = positional ? "  " + option->get_name(true) : "  " + names_of(*option);
      const bool needed = !positional && option->get_required();
      lines += hanging(lead, indent, option->get_description() + (needed ? " (required)" : ""));
    }
    if (!lines.empty()) text += fmt::format("\n{}\n{}", title, lines);
  };
  section("Arguments", true);
  section("Options", false);
  if (const std::string notes = app.get_footer(); !notes.empty()) {
    text += fmt::format("\n{}{}", notes, notes.ends_with('\n') ? "" : "\n");
  }
  text += "\nExamples\n";
  for (std::string_view rest = entry.examples; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    text += fmt::format("  {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (second_word(entry.name).empty()) {
    if (const std::string more = lines_of_group(entry.name); !more.empty()) text += "\nMore commands\n" + more;
  }
  return text;
}

}  // namespace tern::cli
