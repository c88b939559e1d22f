// The completion script of zsh: specifications for its own _arguments.
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/command_names.hpp"
#include "cli/completion_parts.hpp"

namespace tern::cli {
namespace {

std::string zsh_action(const OptionText& option) {
  const std::string words = fmt::format("{}", fmt::join(option.words, " "));
  switch (option.offer) {
    case Offer::files:
      return "_files";
    case Offer::words:
      return "_tern_words " + words;
    case Offer::words_with_commas:
      return "_sequence _tern_words " + words;
    case Offer::nothing:
      break;
  }
  return " ";
}

std::string zsh_spec(const OptionText& option) {
  const std::string label = replaced(option.value, ":\\", "\\");
  if (option.is_argument) {
    const std::string_view place = option.takes_many ? "*:" : option.is_required ? ":" : "::";
    return quoted(fmt::format("{}{}:{}", place, label, zsh_action(option)));
  }
  std::string spec = fmt::format("[{}]", replaced(option.help, "[]\\:", "\\"));
  if (!option.value.empty()) spec += fmt::format(":{}:{}", label, zsh_action(option));
  // Repeated options are rare, and a command says so itself when one is given twice.
  if (option.names.size() == 1) return fmt::format("'*{}'{}", option.names.front(), quoted(spec));
  return fmt::format("'*'{{{}}}{}", fmt::join(option.names, ","), quoted(spec));
}

}  // namespace

std::string zsh_script(std::span<const CommandText> commands) {
  std::string out =
      "#compdef tern\n# Completion of tern for zsh, made by `tern completion zsh`.\n\n"
      "# Words in any case of letters.\n"
      "_tern_words() {\n"
      "  local -a options words\n"
      "  while [[ $1 == -* ]]; do options+=(\"$1\"); [[ $1 == - || $1 == -- ]] || { options+=(\"$2\"); shift }; shift; "
      "done\n"
      "  compadd -M 'm:{a-zA-Z}={A-Za-z}' \"${(@)options:#--}\" -- \"$@\"\n"
      "}\n\n"
      "_tern() {\n  local -a commands\n  commands=(\n";
  for (const std::string_view word : first_words()) {
    const std::string summary = summary_of(commands, word);
    out += fmt::format("    {}\n", quoted(fmt::format("{}:{}", word, replaced(summary, ":\\", "\\"))));
  }
  out +=
      "    'help:the options and examples of a command'\n  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe command commands\n    compadd -- --help --version\n    return\n  fi\n"
      "  local verb=$words[2]\n  shift words\n  ((CURRENT--))\n";
  for (const std::string_view word : words_with_second()) {
    const auto seconds = second_words(word);
    out += fmt::format(
        "  if [[ $verb == help && $words[2] == {0} ]] && ((CURRENT > 2)); then\n"
        "    ((CURRENT == 3)) && compadd -- {1}\n    return\n  fi\n"
        "  if [[ $verb == {0} ]]; then\n    ((CURRENT == 2)) && compadd -- {1}\n",
        word, fmt::join(seconds, " "));
    out += fmt::format(
        "    if ((CURRENT > 2)) && [[ $words[2] == ({}) ]]; then\n"
        "      verb+=\" $words[2]\"\n      shift words\n      ((CURRENT--))\n    fi\n  fi\n",
        fmt::join(seconds, "|"));
  }
  out += "  case $verb in\n    help) ((CURRENT == 2)) && _describe command commands ;;\n";
  for (const CommandText& command : commands) {
    out += fmt::format("    {})\n      _arguments -S", quoted(command.name));
    for (const OptionText& option : command.options) out += " \\\n        " + zsh_spec(option);
    const auto takes_files = [](const OptionText& option) {
      return option.takes_many && !option.is_argument && option.offer == Offer::files;
    };
    const auto many = std::ranges::find_if(command.options, takes_files);
    const bool has_rest = std::ranges::any_of(
        command.options, [](const OptionText& option) { return option.is_argument && option.takes_many; });
    if (many != command.options.end() && !has_rest) {
      out += " \\\n        " + quoted(fmt::format("*:{}:_files", replaced(many->value, ":\\", "\\")));
    }
    out += "\n      ;;\n";
  }
  return out + "  esac\n}\n\nif [[ $funcstack[1] == _tern ]]; then\n  _tern \"$@\"\nelse\n  compdef _tern tern\nfi\n";
}

}  // namespace tern::cli
