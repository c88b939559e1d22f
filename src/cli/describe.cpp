#include "cli/describe.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/all.hpp"
#include "convert/mixtures.hpp"
#include "engine/model.hpp"
#include "formats/all.hpp"
#include "kernels/kernels.hpp"

namespace tern::cli {

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const formats::Format* format : formats::kAll) names.emplace_back(format->name);
  return names;
}

namespace {

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const convert::Mixture& mixture : convert::mixtures()) {
    names.emplace_back(mixture.name);
    if (!mixture.alias.empty()) names.emplace_back(mixture.alias);
  }
  return names;
}

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const kernels::Isa& isa : kernels::all_isas()) names.emplace_back(isa.name);
  return names;
}

std::vector<std::string> cache_names() {
  const auto names = kernels::cache_format_names();
  return {names.begin(), names.end()};
}

std::vector<std::string> pages_names() {
  std::vector<std::string> names;
  for (const engine::PagesName& known : engine::kPagesNames) names.emplace_back(known.name);
  return names;
}

// A value's label says what it is: the same word means the same in every command.
struct Label {
  std::string_view text;
  Offer offer;
  std::vector<std::string> (*words)() = nullptr;
};
constexpr Label kLabels[] = {
    {"FILE", Offer::files},
    {"FILE...", Offer::files},
    {"PATH", Offer::files},
    {"MODEL", Offer::files},
    {"IN", Offer::files},
    {"OUT", Offer::files},
    {"SOURCE", Offer::files},
    {"PART", Offer::files},
    {"PREFIX", Offer::files},
    {"DIR", Offer::files},
    {"SOURCE...", Offer::files},
    {"[NAME=]FILE", Offer::files},
    {"TYPE", Offer::words, &type_names},
    {"FORMAT", Offer::words, &format_names},
    {"TYPE,...", Offer::words_with_commas, &format_names},
    {"FORMAT,...", Offer::words_with_commas, &format_names},
    {"ISA", Offer::words, &isa_names},
    {"KV-TYPE", Offer::words, &cache_names},
    {"PAGES", Offer::words, &pages_names},
};

}  // namespace

std::string value_label(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return {};
  const std::string label = option.get_positional() ? option.get_name(true) : option.get_type_name();
  return label.substr(0, label.find(":INT in ["));
}

CommandText describe(const CommandEntry& entry, const CLI::App& app, const Command& command) {
  CommandText text{.name = std::string(entry.name),
                   .summary = std::string(entry.summary),
                   .footer = app.get_footer(),
                   .examples = CLI::detail::split(std::string(entry.examples), '\n'),
                   .options = {}};
  std::vector<const CLI::Option*> options = app.get_options();
  std::ranges::stable_partition(options, [&](const CLI::Option* option) { return option != app.get_help_ptr(); });
  for (const CLI::Option* option : options) {
    if (option->get_description().empty()) continue;  // internal
    OptionText one{.names = {},
                   .value = value_label(*option),
                   .help = option->get_description(),
                   .is_argument = option->get_positional(),
                   .is_required = option->get_required(),
                   .takes_many = option->get_expected_max() > 1,
                   .offer = Offer::nothing,
                   .words = {}};
    if (one.is_argument) {
      one.names.push_back(one.value);
    } else {
      for (const std::string& name : option->get_snames()) one.names.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) one.names.push_back("--" + name);
    }
    one.words = command.choices(one.names.back());
    if (!one.words.empty()) {
      one.offer = Offer::words;
    } else if (const auto* known = std::ranges::find(kLabels, one.value, &Label::text); known != std::end(kLabels)) {
      one.offer = known->offer;
      if (known->words != nullptr) one.words = known->words();
    } else if (one.names.back() == "--isa") {
      one.offer = Offer::words;
      one.words = isa_names();
    }
    text.options.push_back(std::move(one));
  }
  return text;
}

std::string usage_of(const CommandText& command) {
  const std::string name = "tern " + command.name;
  std::string required;
  std::string arguments;
  bool takes_rest = false;  // an option that would take the arguments behind it too
  std::string closing;
  for (const OptionText& option : command.options) {
    if (option.is_argument) {
      arguments += (option.is_required ? " " : " [") + option.value;
      if (!option.is_required) closing += ']';
    } else if (option.is_required) {
      required += fmt::format(" {} {}", option.names.front(), option.value);
      takes_rest |= option.takes_many;
    }
  }
  arguments += closing;
  return takes_rest ? name + arguments + required + " [options]" : name + required + " [options]" + arguments;
}

}  // namespace tern::cli
