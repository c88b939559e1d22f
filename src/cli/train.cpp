// tern train: a model trained on a packed data set, float or quantised, from nothing or from a checkpoint.
#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/json_output.hpp"
#include "cli/threads_option.hpp"
#include "lab/train_export.hpp"
#include "lab/train_start.hpp"
#include "sys/mapped_file.hpp"
#include "train/run/presets.hpp"
#include "train/run/recipe_fields.hpp"

namespace tern::cli {
namespace {

class Train final : public Command {
 public:
  void declare(CLI::App& app) override {
    request_.n_threads = 0;
    app.add_option("--data", request_.data, "data set, as tern data pack makes it")->type_name("DIR");
    app.add_option("-o,--out,--output", request_.out, "folder of the run: checkpoints, log.jsonl, report.html")
        ->type_name("DIR");
    app.add_option("--recipe", recipe_file_, "recipe file (JSON); --show-recipe prints one with all its keys")
        ->type_name("FILE");
    app.add_option("--preset", preset_,
                   fmt::format("begin from a recipe of the field: {}",
                               fmt::format("{}", fmt::join(train::preset_names(), ", "))))
        ->type_name("NAME");
    app.add_option("--set", assignments_, "change one value of the recipe: --set optimizer.learning_rate=2e-3")
        ->type_name("SECTION.KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--init", init_,
                   "start from the weights of a GGUF file, a Hugging Face folder, a checkpoint or another run; the "
                   "recipe's model section is then not read")
        ->type_name("PATH");
    app.add_flag("--resume", request_.resume, "go on with the run in --out, from its newest checkpoint");
    app.add_option("--steps", request_.stop_after, "stop after so many steps of this sitting; --resume goes on")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000'000));
    declare_threads(app, request_.n_threads);
    app.add_flag("--show-recipe", show_recipe_,
                 "print the whole recipe, and on stderr what each key means; train nothing");
    app.add_flag("--json", json_, "one JSON value at the end");
  }

  Result<void> run(Console& console) override {
    if (request_.resume && !(recipe_file_.empty() && preset_.empty() && assignments_.empty() && init_.empty())) {
      return fail(ErrorCode::usage,
                  "train: a run goes on with the recipe it began with; leave out --recipe, --preset, --set and --init "
                  "beside --resume");
    }
    TERN_TRY(request_.recipe, read_recipe());
    if (show_recipe_) {
      console.out(train::recipe_json(request_.recipe));
      if (!json_) console.note(explained(request_.recipe));
      return {};
    }
    if (request_.data.empty() || request_.out.empty()) {
      return fail(ErrorCode::usage, "train: expected --data DIR and -o DIR; see tern train --help");
    }
    request_.n_threads = threads_or_all(request_.n_threads);
    if (!init_.empty()) {
      TERN_TRY(request_.start, lab::starting_model(init_, console));
    }
    TERN_TRY(const train::RunReport report,
             train::run(request_, lab::sample_through_engine(request_.out, request_.n_threads), console));
    console.end();
    report_to(console, report);
    return {};
  }

  [[nodiscard]] std::vector<std::string> choices(std::string_view option) const override {
    if (option != "--preset") return {};
    const auto names = train::preset_names();
    return {names.begin(), names.end()};
  }

 private:
  [[nodiscard]] Result<train::Recipe> read_recipe() const {
    train::Recipe recipe;
    if (!preset_.empty()) {
      TERN_TRY(recipe, train::preset_by_name(preset_));
    }
    if (!recipe_file_.empty()) {
      TERN_TRY(const std::string text, sys::read_text_file(recipe_file_));
      TERN_TRY(recipe, train::parse_recipe(text, recipe_file_, recipe));
    }
    for (const std::string& assignment : assignments_) TERN_TRY_DO(train::set_field(recipe, assignment));
    TERN_TRY_DO(train::check(recipe));
    return recipe;
  }

  // The recipe as it is, and behind it a line for each key.
  static std::string explained(const train::Recipe& recipe) {
    std::string out;
    train::Recipe copy = recipe;
    for (const train::RecipeField& field : train::recipe_fields(copy)) {
      out += fmt::format("{:<36} {}\n", fmt::format("{}.{}", field.section, field.key), field.help);
    }
    return out;
  }

  void report_to(Console& console, const train::RunReport& report) const {
    if (json_) {
      Json losses = Json::object();
      for (const train::SourceLoss& loss : report.losses) {
        losses[loss.source] = {{"nats_per_token", loss.nats}, {"bits_per_byte", loss.bits_per_byte}};
      }
      print_json(console, {{"out", request_.out},
                           {"step", report.state.step},
                           {"steps", report.state.n_steps},
                           {"finished", report.finished},
                           {"nats_per_token", report.loss},
                           {"bits_per_byte", report.bits_per_byte},
                           {"held_out", losses},
                           {"checkpoint", report.checkpoint},
                           {"tokens_per_second", report.tokens_per_second},
                           {"share_of_peak", report.share_of_peak}});
      return;
    }
    const std::string where = fmt::format("{}: step {} of {}", printable(request_.out, 200),
                                          with_separators(static_cast<std::uint64_t>(report.state.step)),
                                          with_separators(static_cast<std::uint64_t>(report.state.n_steps)));
    std::string out =
        report.tokens_per_second == 0.0
            ? fmt::format("{}, nothing was left to do; tern train --init {} begins a new run with this model\n", where,
                          printable(request_.out, 200))
            : fmt::format(
                  "{}, loss {:.4f} nats a token ({:.3f} bits a byte), {} tokens/s, {:.0f} % of the matrix products' "
                  "peak\n",
                  where, report.loss, report.bits_per_byte,
                  with_separators(static_cast<std::uint64_t>(report.tokens_per_second)), 100.0 * report.share_of_peak);
    for (const train::SourceLoss& loss : report.losses) {
      out += fmt::format("{}, held out: {:.4f} nats a token, {:.4f} bits a byte\n", loss.source, loss.nats,
                         loss.bits_per_byte);
    }
    out += report.finished ? fmt::format("next: tern train export {} -o model.gguf\n", printable(request_.out, 200))
                           : fmt::format("next: tern train --resume --data {} -o {}\n", printable(request_.data, 200),
                                         printable(request_.out, 200));
    console.out(out);
  }

  train::RunRequest request_;
  std::string recipe_file_;
  std::string preset_;
  std::vector<std::string> assignments_;
  std::string init_;
  bool show_recipe_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_train() {
  return std::make_unique<Train>();
}

}  // namespace tern::cli
