// tern join: a model in several GGUF files becomes one file.
#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "cli/output_file.hpp"
#include "convert/split.hpp"

namespace tern::cli {
namespace {

class Join final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("PART", input_, "a part of the model; the others are looked for beside it")->required();
    takes_output(app.add_option("OUT", output_, "GGUF file to write")->required());
    app.add_flag("--force", force_, "overwrite the output");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    TERN_TRY(const convert::CopyPlan plan, convert::CopyPlan::join(input_, output_));
    TERN_TRY_DO(keeps_inputs(output_, model_files(plan.file())));
    TERN_TRY_DO(plan.run(force_, console));
    console.end();
    const std::size_t n_parts = plan.file().parts().size();
    const std::size_t n_tensors = plan.file().tensors().size();
    if (json_) {
      print_json(
          console,
          {{"outfile", output_}, {"n_parts", n_parts}, {"n_tensors", n_tensors}, {"file_bytes", plan.output_bytes()}});
    } else {
      console.out(fmt::format("{}: {}, {}, {}\n", printable(output_, 200), counted(n_parts, "part"),
                              counted(n_tensors, "tensor"), human_bytes(plan.output_bytes())));
    }
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override {
    return "one part is enough, the others are found beside it: tern join PART OUT";
  }

 private:
  std::string input_;
  std::string output_;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_join() {
  return std::make_unique<Join>();
}

}  // namespace tern::cli
