#include "cli/completion_script.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/words.hpp"

namespace tern::cli {
namespace {

constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};

std::string replaced(std::string_view text, std::string_view characters, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) out += before;
    out += c;
  }
  return out;
}

// For a single-quoted word of bash and zsh.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> names_of(std::span<const CommandText> commands) {
  std::vector<std::string> names;
  for (const CommandText& command : commands) names.push_back(command.name);
  return names;
}

// --- bash ------------------------------------------------------------------------------------------------------------

constexpr std::string_view kBashHead = R"(# Completion of tern for bash, made by `tern completion bash`.
# Words are offered in any case of letters; $current is what has been typed of the word in hand.
_tern_words() {
  local word
  for word in $1; do
    [[ ${word,,} == "${current,,}"* ]] && COMPREPLY+=("$word")
  done
}

# The last of several words with commas between them.
_tern_list() {
  local before= word
  [[ $current == *,* ]] && before=${current%,*},
  current=${current##*,}
  for word in $1; do
    [[ ${word,,} == "${current,,}"* ]] && COMPREPLY+=("$before$word")
  done
  compopt -o nospace 2>/dev/null
}

_tern_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$current"))
}

# How many arguments stand before the word in hand; $1: the options that take a value.
_tern_position() {
  local i word
  position=0
  for ((i = 2; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      ((i++))
    elif [[ $word == -?* ]]; then
      [[ $1 == *" $word "* && ${COMP_WORDS[i + 1]} != = ]] && ((i++))
    else
      ((position++))
    fi
  done
}

_tern() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} position
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
)";

// What completes a value; ":" for text that nobody can guess.
std::string bash_offer(const OptionText& option) {
  switch (option.offer) {
    case Offer::files:
      return "_tern_files";
    case Offer::words:
      return fmt::format("_tern_words {}", quoted(fmt::format("{}", fmt::join(option.words, " "))));
    case Offer::words_with_commas:
      return fmt::format("_tern_list {}", quoted(fmt::format("{}", fmt::join(option.words, " "))));
    case Offer::nothing:
      break;
  }
  return ":";
}

std::string bash_command(const CommandText& command) {
  std::string out = fmt::format("    {})\n", command.name);
  std::string flags;
  std::string with_value = " ";
  std::string values;
  std::string arguments;
  std::string rest = ":";
  int n_arguments = 0;
  for (const OptionText& option : command.options) {
    if (option.is_argument) {
      arguments += fmt::format("        {}) {} ;;\n", n_arguments++, bash_offer(option));
      continue;
    }
    flags += fmt::format("{}{}", flags.empty() ? "" : " ", fmt::join(option.names, " "));
    if (option.value.empty()) continue;
    with_value += fmt::format("{} ", fmt::join(option.names, " "));
    values += fmt::format("        {}) {}; return ;;\n", fmt::join(option.names, " | "), bash_offer(option));
    if (option.takes_many && option.offer == Offer::files) rest = bash_offer(option);
  }
  if (!values.empty()) out += fmt::format("      case $previous in\n{}      esac\n", values);
  out += fmt::format("      if [[ $current == -* ]]; then\n        _tern_words {}\n        return\n      fi\n",
                     quoted(flags));
  if (arguments.empty()) return out + fmt::format("      {}\n      ;;\n", rest);
  return out + fmt::format("      _tern_position {}\n      case $position in\n{}      esac\n      ;;\n",
                           quoted(with_value), arguments);
}

std::string bash_script(std::span<const CommandText> commands) {
  const std::string names = fmt::format("{}", fmt::join(names_of(commands), " "));
  std::string out(kBashHead);
  out += fmt::format("    _tern_words '{} help --help --version'\n    return\n  fi\n", names);
  out += "  case ${COMP_WORDS[1]} in\n";
  out += fmt::format("    help) ((COMP_CWORD == 2)) && _tern_words '{}' ;;\n", names);
  for (const CommandText& command : commands) out += bash_command(command);
  return out + "  esac\n}\n\ncomplete -F _tern tern\n";
}

// --- zsh -------------------------------------------------------------------------------------------------------------

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
    return quoted(fmt::format("{}{}:{}", option.is_required ? ":" : "::", label, zsh_action(option)));
  }
  std::string spec = fmt::format("[{}]", replaced(option.help, "[]\\:", "\\"));
  if (!option.value.empty()) {
    spec += option.takes_many ? fmt::format(":*-*:{}:{}", label, zsh_action(option))
                              : fmt::format(":{}:{}", label, zsh_action(option));
  }
  if (option.takes_many) spec = spec.substr(0, spec.find(":*-*:")) + fmt::format(":{}:{}", label, zsh_action(option));
  // Repeated options are rare, and a command says so itself when one is given twice.
  if (option.names.size() == 1) return fmt::format("'*{}'{}", option.names.front(), quoted(spec));
  return fmt::format("'*'{{{}}}{}", fmt::join(option.names, ","), quoted(spec));
}

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
  for (const CommandText& command : commands) {
    out += fmt::format("    {}\n", quoted(fmt::format("{}:{}", command.name, replaced(command.summary, ":\\", "\\"))));
  }
  out +=
      "    'help:the options and examples of a command'\n  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe command commands\n    compadd -- --help --version\n    return\n  fi\n"
      "  local verb=$words[2]\n  shift words\n  ((CURRENT--))\n  case $verb in\n"
      "    help) _describe command commands ;;\n";
  for (const CommandText& command : commands) {
    out += fmt::format("    {})\n      _arguments -S", command.name);
    for (const OptionText& option : command.options) out += " \\\n        " + zsh_spec(option);
    const auto many = std::ranges::find(command.options, true, &OptionText::takes_many);
    if (many != command.options.end() && many->offer == Offer::files) {
      out += " \\\n        " + quoted(fmt::format("*:{}:_files", replaced(many->value, ":\\", "\\")));
    }
    out += "\n      ;;\n";
  }
  return out + "  esac\n}\n\nif [[ $funcstack[1] == _tern ]]; then\n  _tern \"$@\"\nelse\n  compdef _tern tern\nfi\n";
}

// --- fish ------------------------------------------------------------------------------------------------------------

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

std::string fish_script(std::span<const CommandText> commands) {
  std::string out =
      "# Completion of tern for fish, made by `tern completion fish`.\n"
      "complete -c tern -f\n"
      "complete -c tern -n __fish_use_subcommand -l help -s h -d 'the commands'\n"
      "complete -c tern -n __fish_use_subcommand -l version -d 'the version'\n"
      "complete -c tern -n __fish_use_subcommand -a help -d 'the options and examples of a command'\n";
  for (const CommandText& command : commands) {
    out += fmt::format("complete -c tern -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       fish_quoted(command.summary));
    out += fmt::format("complete -c tern -n '__fish_seen_subcommand_from help' -a {} -d {}\n", command.name,
                       fish_quoted(command.summary));
  }
  for (const CommandText& command : commands) {
    // The command is the first word: a file may be called like another command.
    const std::string head =
        fmt::format("complete -c tern -n 'test (count (commandline -opc)) -ge 2; and test (commandline -opc)[2] = {}'",
                    command.name);
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

}  // namespace

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
