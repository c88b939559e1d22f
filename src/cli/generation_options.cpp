#include "cli/generation_options.hpp"

#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/counted.hpp"

namespace tern::cli {

void GenerationOptions::declare(CLI::App& app, const std::string& n_help, const std::string& stop_help) {
  app.add_option("-n,--n-predict", n_predict, n_help)->type_name("N");
  context.declare(app);
  cache.declare(app);
  sampling.declare(app);
  app.add_option("--stop", stop, stop_help + " (may be given several times)")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_option("--draft,--draft-n,--draft-max", n_draft,
                 "faster where the text repeats itself: up to N tokens are guessed from it and verified together; the "
                 "answer is the same; try 4; 0: none (default 0)")
      ->type_name("N");
}

Result<engine::SamplerOptions> GenerationOptions::resolve() const {
  if (n_predict.value_or(0) < -1)
    return fail(ErrorCode::usage, "-n is {}, expected 0 or more, or -1 for no limit", *n_predict);
  constexpr std::int64_t kMostDrafts = 256;
  if (n_draft < 0 || n_draft > kMostDrafts)
    return fail(ErrorCode::usage, "--draft-max is {}, expected 0 (no guesses) to {}", n_draft, kMostDrafts);
  return sampling.resolve();
}

Result<void> makes_text(const engine::Model& model, std::string_view name, std::string_view what) {
  if (model.plan().n_vocab() > 0) return {};
  return fail(ErrorCode::usage, "{}: is an embedding model (pooling: {}): it makes vectors, not {}; use tern embed",
              printable(name, 100), models::pooling_name(model.plan().pooling()), what);
}

std::string accepted_drafts(const engine::GenerateResult& result) {
  if (result.n_drafted == 0) return "";
  return fmt::format("; {} of {} accepted", result.n_accepted, counted(result.n_drafted, "guessed token"));
}

double rate(std::int64_t n_tokens, double seconds) {
  return seconds > 0.0 ? static_cast<double>(n_tokens) / seconds : 0.0;
}

}  // namespace tern::cli
