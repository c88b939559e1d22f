// tern run: continues a text. The prompt and, as it becomes certain, the continuation go to stdout, and nothing else
// does.
#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/generation_options.hpp"
#include "cli/json_output.hpp"
#include "cli/text_input.hpp"
#include "engine/generate.hpp"

namespace tern::cli {
namespace {

class Run final : public Command {
 public:
  void declare(CLI::App& app) override {
    model_.declare(app, stray_hint());
    text_.declare(app);
    generation_.declare(app, "tokens at most; -1: until the end of the text or a full context (default -1)",
                        "end before this text");
    app.add_flag("--ignore-eos", ignore_eos_, "go on after the end of the text");
    app.add_flag("--parse-special", parse_special_, "read names of special tokens in the prompt as those tokens");
    app.add_flag("-v,--verbose", verbose_, "seed and timings on stderr");
    app.add_flag("--json", json_, "one JSON value with prompt, text, ids and timings, instead of the stream");
  }

  Result<void> run(Console& console) override {
    engine::GenerateOptions options{.n_predict = generation_.n_predict.value_or(-1),
                                    .sampler = {},
                                    .stop = generation_.stop,
                                    .ignore_eos = ignore_eos_,
                                    .n_draft = generation_.n_draft,
                                    .continues_text = true,
                                    .cancelled = [&] { return console.cancelled(); }};
    TERN_TRY(options.sampler, generation_.resolve());
    TERN_TRY(const engine::CacheFormats cache, generation_.cache.resolve());
    TERN_TRY(const auto prompt, text_.read());
    TERN_TRY(const auto model, model_.load(console));
    TERN_TRY_DO(makes_text(*model, model_.model, "text"));  // said before a word of the prompt is
    TERN_TRY(const auto ids, engine::prompt_ids(*model, prompt.value_or(""), parse_special_));
    options.continues_text = prompt.has_value() && !prompt->empty();
    TERN_TRY(const std::int64_t n_ctx, generation_.context.resolve(*model, console));
    if (std::ssize(ids) > n_ctx) {
      return fail(ErrorCode::bad_input,
                  "the prompt has {} but the context holds {}; shorten it or use a larger context (-c)",
                  counted(ids.size(), "token"), n_ctx);
    }
    TERN_TRY(const auto session,
             engine::Session::make(model, {.n_threads = model_.threads(), .n_ctx = n_ctx, .cache = cache}));
    const auto sink = [&](std::string_view text) {
      if (!json_) console.out(text);
      return !console.cancelled();
    };
    if (!json_) console.out(prompt.value_or(""));
    TERN_TRY(const auto result, engine::generate(*session, ids, options, sink));
    if (json_) {
      print_json(console, as_json(*model, prompt.value_or(""), result, options));
    } else if (console.out_is_terminal() && !result.text.ends_with('\n')) {
      console.out("\n");
    }
    if (verbose_) report(console, *model, result, options);
    if (console.cancelled()) return fail(ErrorCode::cancelled, "");
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override {
    return "the prompt goes behind -p, a file with it behind -f";
  }

 private:
  static Json as_json(const engine::Model& model, const std::string& prompt, const engine::GenerateResult& result,
                      const engine::GenerateOptions& options) {
    return {{"prompt", prompt},
            {"text", result.text},
            {"ids", result.ids},
            {"stop_reason", engine::stop_reason_name(result.reason)},
            {"n_prompt", result.n_prompt},
            {"n_generated", result.ids.size()},
            {"n_drafted", result.n_drafted},
            {"n_accepted", result.n_accepted},
            {"seed", options.sampler.seed},
            {"isa", model.kernels().isa},
            {"load_seconds", model.load_seconds()},
            {"prompt_seconds", result.prompt_seconds},
            {"generate_seconds", result.generate_seconds},
            {"prompt_tokens_per_second", rate(result.n_prompt, result.prompt_seconds)},
            {"generate_tokens_per_second", rate(std::ssize(result.ids), result.generate_seconds)}};
  }

  void report(Console& console, const engine::Model& model, const engine::GenerateResult& result,
              const engine::GenerateOptions& options) const {
    console.note(fmt::format(
        "load {:.2f} s; prompt {}, {:.1f} tokens/s; generated {}, {:.1f} tokens/s ({}{}); {}, {}; seed {}",
        model.load_seconds(), counted(result.n_prompt, "token"), rate(result.n_prompt, result.prompt_seconds),
        counted(result.ids.size(), "token"), rate(std::ssize(result.ids), result.generate_seconds),
        engine::stop_reason_name(result.reason), accepted_drafts(result), counted(model_.threads(), "thread"),
        model.kernels().isa, options.sampler.seed));
  }

  ModelOptions model_;
  TextInput text_;
  GenerationOptions generation_;
  bool ignore_eos_ = false;
  bool parse_special_ = false;
  bool verbose_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_run() {
  return std::make_unique<Run>();
}

}  // namespace tern::cli
