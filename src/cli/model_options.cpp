#include "cli/model_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/words.hpp"
#include "cli/counted.hpp"
#include "cli/threads_option.hpp"
#include "sys/mapped_file.hpp"

namespace tern::cli {

Result<void> names_a_file(const std::string& word, std::string_view command, std::string_view hint) {
  if (word.ends_with(".gguf") || sys::exists(word)) return {};
  return fail(ErrorCode::usage, "{0}: unexpected argument \"{1}\": {2}; see tern {0} --help", command, printable(word),
              hint);
}

void ModelOptions::declare(CLI::App& app, std::string_view stray_hint) {
  declare_file(app, stray_hint);
  declare_machine(app);
}

void ModelOptions::declare_file(CLI::App& app, std::string_view stray_hint) {
  command_ = app.get_name();
  stray_hint_ = stray_hint;
  app.add_option("MODEL", argument_, "GGUF file, as with -m")->type_name("FILE");
  app.add_option("-m,--model", model, "GGUF file")->type_name("FILE");
  app.add_option("--pages", pages_,
                 "weights in memory: huge: copied into pages of 2 MiB, fastest to run; mmap: where the file is mapped, "
                 "fastest to start; auto: huge for large models where the machine allows (default auto)")
      ->type_name("PAGES");
}

void ModelOptions::declare_machine(CLI::App& app) {
  declare_threads(app, n_threads);
  app.add_option("--isa", isa, "instruction set to force: see tern doctor (default: the best, or TERN_ISA)")
      ->type_name("NAME");
}

Result<void> ModelOptions::settle(std::span<const std::string> texts) {
  if (!model.empty() && !argument_.empty()) {
    TERN_TRY_DO(names_a_file(argument_, command_, stray_hint_));
    return fail(ErrorCode::usage, "two models: -m {} and {}; give one", printable(model, 100),
                printable(argument_, 100));
  }
  if (model.empty()) model = std::exchange(argument_, {});
  if (!model.empty()) return {};
  // An option that takes several files takes the model behind them too.
  const auto taken = std::ranges::find_if(texts, [](const std::string& text) { return text.ends_with(".gguf"); });
  if (taken == texts.end()) return fail(ErrorCode::usage, "no model: give -m FILE");
  return fail(ErrorCode::usage, "no model: {} was taken for a text; give the model first, or with -m",
              printable(*taken, 100));
}

Result<std::shared_ptr<const engine::Model>> ModelOptions::load(Console& console) {
  TERN_TRY_DO(settle());
  TERN_TRY(const engine::Pages wanted, pages());
  TERN_TRY(auto loaded,
           engine::Model::load(model, {.isa = isa, .pages = wanted, .n_threads = threads(), .pooling = pooling}));
  for (const std::string& warning : loaded->warnings()) console.note("warning: " + warning);
  return loaded;
}

void ContextOption::declare(CLI::App& app) {
  app.add_option("-c,--ctx-size", n_ctx,
                 "context in tokens; 0: what the model was trained with (default: that, but at most 4096)")
      ->type_name("N");
}

Result<std::int64_t> ContextOption::resolve(const engine::Model& model, Console& console) const {
  const std::int64_t trained = model.parameters().n_ctx_train;
  if (!n_ctx) return std::min<std::int64_t>(trained, 4096);
  if (*n_ctx < 0) return fail(ErrorCode::usage, "-c is {}, expected 1 or more, or 0 for the trained context", *n_ctx);
  if (*n_ctx > trained) {
    console.note(
        fmt::format("warning: the model was trained with a context of {}; beyond it (-c {}) its text gets worse",
                    counted(trained, "token"), *n_ctx));
  }
  return *n_ctx > 0 ? *n_ctx : trained;
}

Result<engine::Pages> ModelOptions::pages() const {
  std::vector<std::string_view> words;
  for (const engine::PagesName& known : engine::kPagesNames) {
    if (known.name == pages_) return known.pages;
    words.push_back(known.name);
  }
  return fail(ErrorCode::usage, "--pages is \"{}\", expected {}{}", printable(pages_), fmt::join(words, ", "),
              did_you_mean(pages_, words));
}

int ModelOptions::threads() const {
  return threads_or_all(n_threads);
}

}  // namespace tern::cli
