#include "cli/usage_error.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/words.hpp"

namespace tern::cli {
namespace {

std::string unknown_option(const std::string& word, const CLI::App& command) {
  const std::string flag = word.substr(0, word.find('='));
  std::vector<std::string> names{"--help"};
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  // A short option is too short for a guess from its letters: "-x" is near to every other.
  const std::vector<std::string_view> views(names.begin(), names.end());
  return fmt::format("unknown option \"{}\"{}", printable(flag), flag.size() > 3 ? did_you_mean(flag, views) : "");
}

// The option that a parser's message begins with or names.
const CLI::Option* option_of(const std::string& message, const CLI::App& command) {
  const CLI::Option* best = nullptr;
  std::size_t longest = 0;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (name.size() > longest && message.find(name) != std::string::npos) {
      best = option;
      longest = name.size();
    }
  }
  return best;
}

std::string explain(const CLI::ParseError& error, const CLI::App& command, std::string_view stray_hint) {
  std::string message = error.what();
  std::ranges::replace(message, '\n', ' ');
  // A mistyped option often leaves a required one missing: the unknown word is the cause, so it is named first.
  const std::vector<std::string> extras = command.remaining(true);
  const auto extra =
      std::ranges::find_if(extras, [](const std::string& word) { return word.size() > 1 && word.starts_with('-'); });
  if (extra != extras.end()) return unknown_option(*extra, command);
  if (!extras.empty()) {
    return fmt::format("unexpected argument \"{}\"{}{}", printable(extras.front()), stray_hint.empty() ? "" : ": ",
                       stray_hint);
  }

  const CLI::Option* option = option_of(message, command);
  if (option == nullptr) return message;
  const std::string name = option->get_name();
  const std::string type = option->get_type_name();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return fmt::format("{} is missing ({})", name, option->get_description());
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    if (option->results().size() > 1)
      return fmt::format("{} was given {} times, expected once", name, option->results().size());
    return fmt::format("{} needs a value{}", name, type.empty() ? "" : " (" + type + ")");
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr && !option->results().empty()) {
    if (option->get_expected_max() == 0) return fmt::format("{} takes no value", name);
    return fmt::format("{} is \"{}\", expected {}", name, printable(option->results().back()),
                       type.empty() ? "a number" : type);
  }
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr && message.starts_with(name + ": is ")) {
    return message.erase(name.size(), 1);
  }
  constexpr std::string_view kRange = " not in range ";
  const auto range = message.find(kRange);
  if (range != std::string::npos && !option->results().empty()) {
    return fmt::format("{} is \"{}\", expected a whole number from {}", name, printable(option->results().back()),
                       message.substr(range + kRange.size()));
  }
  return message;
}

}  // namespace

Error usage_error(const CLI::ParseError& error, const CLI::App& command, std::string_view stray_hint) {
  const std::string& verb = command.get_name();
  return {ErrorCode::usage, fmt::format("{}: {}; see tern {} --help", verb, explain(error, command, stray_hint), verb)};
}

}  // namespace tern::cli
