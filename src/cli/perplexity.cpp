// tern perplexity: how well a model predicts texts, by llama.cpp's protocol; one line a text, or everything as JSON.
#include "eval/perplexity.hpp"

#include <CLI/CLI.hpp>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/cache_options.hpp"
#include "cli/json_output.hpp"
#include "cli/model_options.hpp"
#include "cli/output_file.hpp"
#include "cli/text_input.hpp"
#include "eval/corpus.hpp"
#include "report/number.hpp"
#include "report/table.hpp"
#include "sys/atomic_file.hpp"

namespace tern::cli {
namespace {

struct Measured {
  std::string file;
  eval::Corpus corpus;
  eval::Chunks chunks;
  eval::PerplexityResult result;
};

class Perplexity final : public Command {
 public:
  void declare(CLI::App& app) override {
    model_.declare(app, stray_hint());
    app.add_option("-f,--file", files_, "texts: raw, .jsonl (see --field) or .csv (its columns of text); - is stdin")
        ->required()
        ->type_name("FILE...");
    app.add_option("--field", field_, "field of a .jsonl line that is the text (default text)")->type_name("NAME");
    app.add_option("--chunks", n_chunks_, "chunks of each text at most; -1: all (default -1)")->type_name("N");
    app.add_option("-c,--ctx-size", n_ctx_, "tokens of a chunk (default: 512, or the trained context if that is less)")
        ->type_name("N");
    cache_.declare(app);
    takes_output(
        app.add_option("--logprobs", logprobs_, "write the log probability of every scored token (tab-separated)")
            ->type_name("FILE"));
    app.add_flag("--force", force_, "overwrite the --logprobs file");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    if (n_chunks_ == 0 || n_chunks_ < -1)
      return fail(ErrorCode::usage, "--chunks is {}, expected 1 or more, or -1 for all", n_chunks_);
    if (n_ctx_ < 0) return fail(ErrorCode::usage, "-c is {}, expected 4 or more, or 0 for the usual chunk", n_ctx_);
    eval::PerplexityOptions options{.n_ctx = n_ctx_, .max_chunks = n_chunks_, .n_threads = model_.threads()};
    TERN_TRY(options.cache, cache_.resolve());
    TERN_TRY_DO(model_.settle(files_));
    TERN_TRY_DO(reads_standard_input_once(files_));
    if (!logprobs_.empty()) {
      TERN_TRY_DO(keeps_model_and_texts(logprobs_, model_.model, files_));
      TERN_TRY_DO(sys::may_write(logprobs_, force_));
    }
    // Every text is read first: a mistyped name must not cost the hour before it.
    std::vector<Measured> texts;
    for (const std::string& file : files_) {
      TERN_TRY(eval::Corpus corpus, read_text_of(file));
      texts.push_back({.file = file, .corpus = std::move(corpus), .chunks = {}, .result = {}});
    }
    TERN_TRY(const auto model, model_.load(console));
    for (Measured& text : texts) {
      auto chunks = eval::make_chunks(*model, text.corpus.text, options);
      if (!chunks) return in_context(name_of_text(text.file), std::move(chunks).error());
      text.chunks = std::move(*chunks);
    }
    for (Measured& text : texts) {
      TERN_TRY(text.result, eval::perplexity(model, text.chunks, options, console));
      console.end();
      if (!json_ && texts.size() > 1 && !console.out_is_terminal())
        console.note(fmt::format("{}: done", text.corpus.name));
    }
    if (!logprobs_.empty()) {
      TERN_TRY_DO(write_logprobs(texts));
    }
    if (!json_) {
      console.out(as_text(texts, console.colour()));
    } else if (texts.size() == 1) {
      print_json(console, as_json(*model, texts.front()));
    } else {
      Json all;
      all["texts"] = Json::array();
      for (const Measured& text : texts) all["texts"].push_back(as_json(*model, text));
      print_json(console, all);
    }
    return {};
  }

  [[nodiscard]] std::string_view stray_hint() const override { return "texts go behind -f"; }

 private:
  // What can be read only once is read here and not mapped.
  [[nodiscard]] Result<eval::Corpus> read_text_of(const std::string& file) const {
    if (!is_stream(file)) return eval::read_corpus(file, field_);
    TERN_TRY(const std::string content, read_text(file));
    return eval::corpus_of(content, name_of_text(file), field_);
  }

  static std::string as_text(const std::vector<Measured>& texts, bool colour) {
    report::Table table{
        .columns =
            {{"text", report::Align::left}, {"perplexity"}, {"bits/byte"}, {"chunks"}, {"tokens/chunk"}, {"tokens/s"}},
        .rows = {}};
    for (const Measured& text : texts) {
      const eval::PerplexityResult& r = text.result;
      table.add({text.corpus.name,
                 {fmt::format("{:.4f} ± {:.4f}", r.perplexity, r.standard_error), report::Tone::strong},
                 fmt::format("{:.4f}", r.bits_per_byte),
                 fmt::format("{}", r.n_chunks),
                 fmt::format("{}", r.n_ctx),
                 fmt::format("{:.0f}", r.tokens_per_second)});
    }
    return report::to_text(table, colour);
  }

  static Json as_json(const engine::Model& model, const Measured& text) {
    const eval::PerplexityResult& r = text.result;
    return {{"file", text.file},
            {"perplexity", r.perplexity},
            {"stderr", r.standard_error},
            {"bits_per_byte", r.bits_per_byte},
            {"n_tokens", text.chunks.n_tokens},
            {"chunk", r.n_ctx},
            {"n_chunks", r.n_chunks},
            {"n_scored", r.nll.size()},
            {"n_documents", text.corpus.n_documents},
            {"isa", model.kernels().isa},
            {"seconds", r.seconds},
            {"tokens_per_second", r.tokens_per_second}};
  }

  [[nodiscard]] Result<void> write_logprobs(const std::vector<Measured>& texts) const {
    TERN_TRY(auto file, sys::AtomicFile::create(logprobs_, force_));
    std::string out = "text\tchunk\tposition\tid\tlogprob\n";
    for (const Measured& text : texts) {
      const std::int64_t n_scored = text.chunks.n_scored();
      for (std::int64_t i = 0; i < std::ssize(text.result.nll); ++i) {
        const std::int64_t chunk = i / n_scored;
        const std::int64_t position = text.chunks.first_scored() + 1 + i % n_scored;
        out += fmt::format("{}\t{}\t{}\t{}\t{:.9g}\n", printable(text.corpus.name), chunk, position,
                           text.chunks.ids[static_cast<std::size_t>(chunk * text.chunks.n_ctx + position)],
                           -text.result.nll[static_cast<std::size_t>(i)]);
        if (out.size() > (std::size_t{1} << 20)) {
          TERN_TRY_DO(file.write(out));
          out.clear();
        }
      }
    }
    TERN_TRY_DO(file.write(out));
    return file.commit();
  }

  ModelOptions model_;
  std::vector<std::string> files_;
  std::string field_ = "text";
  std::int64_t n_chunks_ = -1;
  std::int64_t n_ctx_ = 0;
  CacheOptions cache_;
  std::string logprobs_;
  bool force_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_perplexity() {
  return std::make_unique<Perplexity>();
}

}  // namespace tern::cli
