// tern completion: prints what teaches a shell tern's commands, options and formats.
#include <CLI/CLI.hpp>

#include "cli/all.hpp"
#include "cli/completion_script.hpp"
#include "cli/json_output.hpp"
#include "cli/program.hpp"

namespace tern::cli {
namespace {

class Completion final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("SHELL", shell_, "bash, zsh or fish")->required();
    app.add_flag("--json", json_, "the script as a member of one JSON value");
    app.footer(
        "cmake --install puts the scripts where the shells look for them. By hand, for one user:\n"
        "  bash  tern completion bash > ~/.local/share/bash-completion/completions/tern\n"
        "  zsh   tern completion zsh > _tern, in a folder of $fpath\n"
        "  fish  tern completion fish > ~/.config/fish/completions/tern.fish\n");
  }

  Result<void> run(Console& console) override {
    TERN_TRY(const Shell shell, shell_by_name(shell_));
    const std::string script = completion_script(shell, Program().commands());
    if (json_) {
      print_json(console, {{"shell", shell_}, {"script", script}});
    } else {
      console.out(script);
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option == "SHELL") return {"bash", "zsh", "fish"};
    return {};
  }

 private:
  std::string shell_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_completion() {
  return std::make_unique<Completion>();
}

}  // namespace tern::cli
