#include "cli/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/command_names.hpp"
#include "cli/exit_code.hpp"
#include "cli/foreign_option.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "cli/option_values.hpp"
#include "cli/usage_error.hpp"
#include "cli/version.hpp"
#include "sys/signals.hpp"

namespace tern::cli {
namespace {

enum class Wanted { command, help, manual, names, version };

// A name of a hundred thousand letters is no reason for as long a line: its two ends tell what it was.
std::string shortened(const std::string& message) {
  constexpr std::size_t kMost = 4000;
  constexpr std::size_t kEnd = 500;
  if (message.size() <= kMost) return message;
  std::size_t left = kEnd;
  std::size_t right = message.size() - kEnd;
  while (left > 0 && is_utf8_continuation(message[left])) --left;
  while (right < message.size() && is_utf8_continuation(message[right])) ++right;
  return fmt::format("{} ... {}", message.substr(0, left), message.substr(right));
}

}  // namespace

struct Program::State {
  struct Item {
    const CommandEntry* entry;
    std::unique_ptr<Command> command;
    std::unique_ptr<CLI::App> app;  // reads its options alone: which command is meant is found before
  };
  std::vector<Item> items;
  Wanted wanted = Wanted::command;
  Item* chosen = nullptr;
  std::string_view group;  // a first word alone whose help is wanted

  Item* find(std::string_view name) {
    const auto found = std::ranges::find_if(items, [&](const Item& item) { return item.entry->name == name; });
    return found == items.end() ? nullptr : &*found;
  }
};

Program::Program() : state_(std::make_unique<State>()) {
  for (const CommandEntry& entry : kCommands) {
    auto app = std::make_unique<CLI::App>(std::string(entry.summary), std::string(entry.name));
    app->set_help_flag("-h,--help", "show this text");
    auto command = entry.make();
    command->declare(*app);
    state_->items.push_back({&entry, std::move(command), std::move(app)});
  }
}

Program::~Program() = default;

std::string Program::help(std::string_view name) const {
  if (name.empty()) return main_help();
  const State::Item* item = state_->find(name);
  if (item == nullptr) return second_words(name).empty() ? std::string{} : group_help(name);
  return command_help(*item->entry, *item->app, *item->command);
}

std::string Program::manual(std::string_view name) const {
  if (name.empty()) return main_manual(commands());
  const State::Item* item = state_->find(name);
  return item == nullptr ? std::string{} : command_manual(describe(*item->entry, *item->app, *item->command));
}

std::vector<CommandText> Program::commands() const {
  std::vector<CommandText> all;
  for (const State::Item& item : state_->items) all.push_back(describe(*item.entry, *item.app, *item.command));
  return all;
}

Result<std::size_t> Program::choose(std::span<const std::string> words) {
  TERN_TRY(const ChosenCommand chosen, choose_command(words));
  state_->group = chosen.group;
  state_->chosen = chosen.entry == nullptr ? nullptr : state_->find(chosen.entry->name);
  return chosen.n_words;
}

Result<void> Program::parse_help(std::vector<std::string> words) {
  const auto taken = [&](std::string_view word) {
    return std::erase_if(words, [&](const std::string& other) { return other == word; }) > 0;
  };
  if (taken("--names") && words.empty()) {  // for scripts: one name a line
    state_->wanted = Wanted::names;
    return {};
  }
  const bool as_manual = taken("--man");
  state_->wanted = as_manual ? Wanted::manual : Wanted::help;
  if (words == std::vector<std::string>{"help"}) words.clear();  // about all commands, help among them
  if (words.empty()) return {};
  TERN_TRY(const std::size_t n_words, choose(words));
  if (words.size() > n_words) {
    return fail(ErrorCode::usage, "help: unexpected argument \"{}\"; see tern --help", printable(words[n_words]));
  }
  if (as_manual && state_->chosen == nullptr) return second_word_missing(state_->group);
  return {};
}

Result<void> Program::parse(const std::vector<std::string>& given) {
  std::vector<std::string> words = given;
  if (!words.empty() && words.front() == "help") {  // `help run` is `run --help`
    words.erase(words.begin());
    const bool is_option = !words.empty() && words.front().starts_with('-');
    if (!is_option || words.front() == "--names" || words.front() == "--man") return parse_help(std::move(words));
  }
  if (words.empty() || words.front() == "--help" || words.front() == "-h") {
    state_->wanted = Wanted::help;
    return {};
  }
  if (words.front() == "--version" || words.front() == "-V" || words.front() == "version") {
    if (words.size() > 1) {
      return fail(ErrorCode::usage, "{}: unexpected argument \"{}\"; see tern --help", words.front(),
                  printable(words[1]));
    }
    state_->wanted = Wanted::version;
    return {};
  }
  if (words.front().starts_with("-")) {
    return fail(ErrorCode::usage,
                "unknown option \"{}\": the command comes first (tern COMMAND [options]); see tern --help",
                printable(words.front()));
  }
  TERN_TRY(const std::size_t n_words, choose(words));
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(n_words));
  if (state_->chosen == nullptr) {
    if (words.empty() || (words.front() != "--help" && words.front() != "-h"))
      return second_word_missing(state_->group);
    state_->wanted = Wanted::help;
    return {};
  }
  TERN_TRY_DO(refuse_foreign_options(words, *state_->chosen->app));
  try {
    std::ranges::reverse(words);  // CLI11 takes the words of a vector from its back
    state_->chosen->app->parse(words);
  } catch (const CLI::CallForHelp&) {
    state_->wanted = Wanted::help;
  } catch (const CLI::ParseError& error) {
    std::string hint(state_->chosen->command->stray_hint());
    const std::vector<std::string> extras = state_->chosen->app->remaining(true);
    const std::string_view name = state_->chosen->entry->name;
    if (const auto near = extras.empty() ? "" : nearest_word(extras.front(), second_words(name)); !near.empty()) {
      hint = fmt::format("perhaps tern {} {} is meant", name, near);
    }
    return std::unexpected(usage_error(error, *state_->chosen->app, hint));
  }
  if (state_->wanted != Wanted::command) return {};
  const State::Item& item = *state_->chosen;
  return check_values(describe(*item.entry, *item.app, *item.command), *item.app);
}

int Program::run(const std::vector<std::string>& words) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow
  Console console;
  const auto report = [&](const Error& error) {
    console.end();
    if (!error.message.empty()) std::fputs(fmt::format("tern: {}\n", shortened(error.message)).c_str(), stderr);
    if (error.code == ErrorCode::cancelled && sys::interrupt_signal() != 0) return 128 + sys::interrupt_signal();
    return exit_code(error.code);
  };
  if (auto parsed = parse(words); !parsed) return report(parsed.error());
  if (state_->wanted != Wanted::command) {
    const std::string name(state_->chosen == nullptr ? state_->group : state_->chosen->entry->name);
    std::string text = fmt::format("{}\n", version_text());
    if (state_->wanted == Wanted::help) text = help(name);
    if (state_->wanted == Wanted::manual) text = manual(name);
    if (state_->wanted == Wanted::names) {
      text.clear();
      for (const CommandEntry& entry : kCommands) text += fmt::format("{}\n", entry.name);
    }
    console.out(text);
    return 0;
  }
  sys::watch_interrupts();
  auto done = state_->chosen->command->run(console);
  if (!done) return report(done.error());
  console.end();
  return 0;
}

}  // namespace tern::cli
