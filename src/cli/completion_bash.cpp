// The completion script of bash: one function that knows every command's options and arguments.
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/command_names.hpp"
#include "cli/completion_parts.hpp"

namespace tern::cli {
namespace {

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

# How many arguments stand before the word in hand; $1: the options that take a value. $first: the first word behind the
# command's name.
_tern_position() {
  local i word
  position=0
  for ((i = first; i < COMP_CWORD; i++)); do
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
  local name=${COMP_WORDS[1]} first=2
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
  std::string out = fmt::format("    {})\n", quoted(command.name));
  if (const auto seconds = second_words(command.name); !seconds.empty()) {
    out += fmt::format("      ((COMP_CWORD == 2)) && _tern_words {}\n",
                       quoted(fmt::format("{}", fmt::join(seconds, " "))));
  }
  std::string flags;
  std::string with_value = " ";
  std::string values;
  std::string arguments;
  std::string rest = ":";
  int n_arguments = 0;
  for (const OptionText& option : command.options) {
    if (option.is_argument) {
      const std::string place = option.takes_many ? "*" : fmt::format("{}", n_arguments++);
      arguments += fmt::format("        {}) {} ;;\n", place, bash_offer(option));
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

}  // namespace

std::string bash_script(std::span<const CommandText> commands) {
  const std::string names = fmt::format("{}", fmt::join(first_words(), " "));
  std::string out(kBashHead);
  out += fmt::format("    _tern_words '{} help --help --version'\n    return\n  fi\n", names);
  std::string help = fmt::format("    help)\n      ((COMP_CWORD == 2)) && _tern_words '{}'\n", names);
  std::string groups;
  std::string two_words;
  for (const std::string_view word : words_with_second()) {
    const std::vector<std::string_view> seconds = second_words(word);
    const std::string offer = fmt::format("_tern_words '{}'", fmt::join(seconds, " "));
    help += fmt::format("      ((COMP_CWORD == 3)) && [[ ${{COMP_WORDS[2]}} == {} ]] && {}\n", word, offer);
    if (find_command(commands, word) == nullptr)
      groups += fmt::format("    {}) ((COMP_CWORD == 2)) && {} ;;\n", word, offer);
    for (const std::string_view second : seconds) {
      two_words += fmt::format("{}'{} {}'", two_words.empty() ? "" : " | ", word, second);
    }
  }
  if (!two_words.empty()) {
    out += fmt::format(
        "  case \"$name ${{COMP_WORDS[2]}}\" in\n"
        "    {}) ((COMP_CWORD > 2)) && {{ name+=\" ${{COMP_WORDS[2]}}\"; first=3; }} ;;\n  esac\n",
        two_words);
  }
  out += "  case $name in\n" + help + "      ;;\n" + groups;
  for (const CommandText& command : commands) out += bash_command(command);
  return out + "  esac\n}\n\ncomplete -F _tern tern\n";
}

}  // namespace tern::cli
