#include "cli/option_values.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

#include "base/words.hpp"

namespace tern::cli {
namespace {

bool is_whole_number_label(std::string_view label) {
  return label == "N" || label == "SEED" || label == "K";
}

// As a person writes it: "12", "-1".
bool is_whole_number(std::string_view text) {
  std::int64_t n = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, n);
  return error == std::errc{} && stop == end && fmt::format("{}", n) == text;
}

}  // namespace

Result<void> check_values(const CommandText& command, const CLI::App& app) {
  for (const OptionText& option : command.options) {
    const std::string& name = option.names.back();
    const CLI::Option* given = app.get_option_no_throw(name);
    // A text may be empty, and a list answers for its own members.
    if (given == nullptr || option.value.empty() || option.value == "TEXT" || option.value == "ID,...") continue;
    for (const std::string& value : given->results()) {
      if (value.empty()) {
        return fail(ErrorCode::usage, "{0}: {1} is empty, expected {2}; see tern {0} --help", command.name, name,
                    option.offer == Offer::files ? "the name of a file" : option.value);
      }
      if (is_whole_number_label(option.value) && !is_whole_number(value)) {
        return fail(ErrorCode::usage,
                    "{0}: {1} is \"{2}\", expected a whole number of at most 63 bits; see tern {0} --help",
                    command.name, name, printable(value));
      }
    }
  }
  return {};
}

}  // namespace tern::cli
