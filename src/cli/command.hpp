// What a command is: options declared once (help follows by itself) and a run() that returns a value or one Error.
// One file a command; listed in cli/all.hpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/console.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

class Command {
 public:
  virtual ~Command() = default;
  /// Adds the command's options to its sub-command.
  virtual void declare(CLI::App& app) = 0;
  /// The exit code follows from the error (cli/exit_code.hpp). Results go to console.out, everything else to stderr.
  /// An error with an empty message gives its exit code without a line: the command has said everything already.
  [[nodiscard]] virtual Result<void> run(Console& console) = 0;
  /// The words that a shell offers as the value of an option ("--outtype") or argument ("TYPE"), where its label does
  /// not say it already (cli/describe.cpp); empty for none.
  [[nodiscard]] virtual std::vector<std::string> choices(std::string_view /*option*/) const { return {}; }
  /// What people mean who type one argument too many; "" for nothing in particular.
  [[nodiscard]] virtual std::string_view stray_hint() const { return {}; }
};

struct CommandEntry {
  std::string_view name;
  std::string_view summary;   // one line of `tern --help`
  std::string_view examples;  // printed under `tern NAME --help`, one a line
  std::unique_ptr<Command> (*make)();
  std::string_view group = "Other";  // the heading in `tern --help`
};

}  // namespace tern::cli
