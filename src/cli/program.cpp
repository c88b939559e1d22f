#include "cli/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>

#include "base/utf8.hpp"
#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/exit_code.hpp"
#include "cli/foreign_command.hpp"
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

// The one of `names` that begins with `word`; "" where none does or several do.
std::string_view only_beginning(std::string_view word, std::span<const std::string_view> names) {
  const auto begins = [&](std::string_view name) { return name.starts_with(word); };
  if (word.empty() || std::ranges::count_if(names, begins) != 1) return {};
  return *std::ranges::find_if(names, begins);
}

}  // namespace

struct Program::State {
  struct Item {
    const CommandEntry* entry;
    CLI::App* app;
    std::unique_ptr<Command> command;
  };
  CLI::App app{"", "tern"};
  std::vector<Item> items;
  Wanted wanted = Wanted::command;
  Item* chosen = nullptr;

  Item* find(std::string_view name) {
    const auto found = std::ranges::find_if(items, [&](const Item& item) { return item.entry->name == name; });
    return found == items.end() ? nullptr : &*found;
  }
};

Program::Program() : state_(std::make_unique<State>()) {
  state_->app.set_help_flag("-h,--help", "show this text");
  for (const CommandEntry& entry : kCommands) {
    CLI::App* sub = state_->app.add_subcommand(std::string(entry.name), std::string(entry.summary));
    auto command = entry.make();
    command->declare(*sub);
    state_->items.push_back({&entry, sub, std::move(command)});
  }
}

Program::~Program() = default;

std::string Program::help(std::string_view name) const {
  if (name.empty()) return main_help();
  const State::Item* item = state_->find(name);
  return item == nullptr ? std::string{} : command_help(*item->entry, *item->app, *item->command);
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

Result<void> Program::choose(const std::string& name) {
  state_->chosen = state_->find(name);
  if (state_->chosen != nullptr) return {};
  if (name.ends_with(".gguf")) {
    return fail(ErrorCode::usage,
                "{0}: is a file, expected a command first: tern run {0}, tern chat {0}, tern info {0}",
                printable(name, 100));
  }
  std::vector<std::string_view> names{"help", "version"};
  for (const CommandEntry& entry : kCommands) names.push_back(entry.name);
  if (const auto advice = command_elsewhere(name); !advice.empty()) {
    return fail(ErrorCode::usage, "unknown command \"{}\": {}; see tern --help", printable(name), advice);
  }
  const std::string_view begun = only_beginning(name, names);
  return fail(ErrorCode::usage, "unknown command \"{}\"{}; see tern --help", printable(name),
              begun.empty() ? did_you_mean(name, names) : fmt::format(" (did you mean {}?)", begun));
}

Result<void> Program::parse(const std::vector<std::string>& given) {
  std::vector<std::string> words = given;
  if (!words.empty() && words.front() == "help") {  // `help run` is `run --help`
    words.erase(words.begin());
    const auto taken = [&](std::string_view word) {
      return std::erase_if(words, [&](const std::string& other) { return other == word; }) > 0;
    };
    if (taken("--names") && words.empty()) {  // for scripts: one name a line
      state_->wanted = Wanted::names;
      return {};
    }
    const bool as_manual = taken("--man");
    if (words.size() > 1) {
      return fail(ErrorCode::usage, "help: unexpected argument \"{}\"; see tern --help", printable(words[1]));
    }
    if (as_manual && words.empty()) state_->wanted = Wanted::manual;
    if (as_manual && words.empty()) return {};
    if (words == std::vector<std::string>{"help"}) words.clear();  // about all commands, help among them
    if (!words.empty() && (as_manual || !words.front().starts_with("-"))) {
      TERN_TRY_DO(choose(words.front()));
      state_->wanted = as_manual ? Wanted::manual : Wanted::help;
      return {};
    }
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
  TERN_TRY_DO(choose(words.front()));
  TERN_TRY_DO(refuse_foreign_options({words.begin() + 1, words.end()}, *state_->chosen->app));
  try {
    std::ranges::reverse(words);  // CLI11 takes the words of a vector from its back
    state_->app.parse(words);
  } catch (const CLI::CallForHelp&) {
    state_->wanted = Wanted::help;
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_error(error, *state_->chosen->app, state_->chosen->command->stray_hint()));
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
    const std::string name(state_->chosen == nullptr ? "" : state_->chosen->entry->name);
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
