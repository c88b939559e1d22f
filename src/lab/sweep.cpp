// Implementation of sweep.hpp: the run itself. Its arithmetic is in sweep_statistics.cpp.
#include "lab/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/words.hpp"
#include "engine/generate.hpp"
#include "eval/corpus.hpp"
#include "lab/reencode.hpp"
#include "lab/sweep_speed.hpp"
#include "sys/clock.hpp"
#include "sys/cpu.hpp"
#include "sys/memory.hpp"

namespace tern::lab {
namespace {

// The part of one bar that a piece of the work (which believes it has a bar of its own) moves.
class Part final : public Progress {
 public:
  Part(Progress& whole, std::uint64_t first, std::string_view what) : whole_(whole), first_(first), what_(what) {}
  void update(std::uint64_t done, std::string_view /*note*/) override { whole_.update(first_ + done, what_); }
  void note(std::string_view line) override { whole_.note(line); }
  [[nodiscard]] bool cancelled() const override { return whole_.cancelled(); }

 private:
  Progress& whole_;
  std::uint64_t first_;
  std::string what_;
};

// What stays in hand from one use of a format to the next: its encoded table where memory allows, the losses it made.
struct Kept {
  std::shared_ptr<AlignedBuffer> table;
  std::vector<std::vector<double>> nll;  // by text
};

class Sweep {
 public:
  Sweep(const SweepOptions& options, Progress& progress) : options_(options), progress_(progress) {}

  Result<SweepResult> run() {
    const sys::Stopwatch clock;
    TERN_TRY_DO(read_inputs());
    if (!out_.formats.empty()) {
      progress_.begin("sweep", total_units());
      TERN_TRY_DO(score_all());
      TERN_TRY_DO(measure_memory());
      TERN_TRY_DO(measure_speeds());
      progress_.end();
    }
    adjust_p_values(out_);
    for (FormatResult& format : out_.formats) {
      if (format.error.empty()) format.mean = mean_over_texts(format.texts);
    }
    out_.seconds = clock.seconds();
    return std::move(out_);
  }

 private:
  // A speed round and a memory child each move the bar like this many chunks.
  static constexpr std::uint64_t kSpeedUnits = 4;
  static constexpr std::uint64_t kMemoryUnits = 2;

  [[nodiscard]] std::uint64_t total_units() const {
    std::uint64_t a_format = kMemoryUnits + kSpeedUnits * static_cast<std::uint64_t>(options_.repetitions);
    for (const eval::Chunks& chunks : chunks_) a_format += static_cast<std::uint64_t>(chunks.n_chunks);
    return a_format * out_.formats.size();
  }

  // Everything that can be wrong is found here, before the long part.
  Result<void> read_inputs() {
    std::vector<eval::Corpus> corpora;
    for (const std::string& path : options_.data) {
      TERN_TRY(eval::Corpus corpus, eval::read_corpus(path, options_.field));
      corpora.push_back(std::move(corpus));
    }
    TERN_TRY(const auto model,
             engine::Model::load(options_.model, {.isa = options_.isa, .n_threads = options_.n_threads}));
    source_.emplace(model->file());
    table_ = *embedding_of(*source_);
    describe_model(*model);
    eval::PerplexityOptions wanted{
        .n_ctx = options_.n_ctx, .max_chunks = options_.max_chunks, .n_threads = options_.n_threads};
    for (std::size_t i = 0; i < corpora.size(); ++i) {
      auto chunks = eval::make_chunks(*model, corpora[i].text, wanted);
      if (!chunks) return in_context(options_.data[i], std::move(chunks).error());
      out_.texts.push_back({.name = corpora[i].name,
                            .path = options_.data[i],
                            .n_documents = corpora[i].n_documents,
                            .n_tokens = chunks->n_tokens,
                            .n_chunks = chunks->n_chunks,
                            .n_scored = chunks->n_chunks * chunks->n_scored()});
      out_.n_ctx = chunks->n_ctx;
      chunks_.push_back(std::move(*chunks));
      corpora[i] = {};
    }
    if (options_.n_predict > 0) {
      TERN_TRY(prompt_ids_, engine::prompt_ids(*model, options_.prompt));
      const std::int64_t room = model->parameters().n_ctx_train - options_.n_predict;
      if (std::ssize(prompt_ids_) > room) {
        return fail(ErrorCode::usage,
                    "the prompt has {} tokens and {} are to follow, but the model was trained for {}; "
                    "use a shorter --prompt or a smaller -n",
                    prompt_ids_.size(), options_.n_predict, model->parameters().n_ctx_train);
      }
    }
    std::uint64_t all_tables = 0;
    for (const formats::Format* format : options_.formats) {
      FormatResult result;
      result.format = format;
      const auto n_bytes = formats::tensor_bytes(*format, table_.shape);
      if (n_bytes) {
        result.embedding_bytes = *n_bytes;
        result.file_bytes =
            file_bytes_with(out_.model.file_bytes, table_.bytes.size(), *n_bytes, source_->file().alignment());
        all_tables += *n_bytes;
      } else {
        result.error = n_bytes.error().message;
      }
      out_.formats.push_back(std::move(result));
    }
    kept_.resize(out_.formats.size());
    keep_tables_ = all_tables < sys::available_memory() / 2;
    return {};
  }

  void describe_model(const engine::Model& model) {
    const models::HyperParameters& p = model.parameters();
    out_.model = {.path = options_.model,
                  .architecture = p.architecture,
                  .embedding = std::string(table_.name),
                  .stored = table_.format,
                  .n_vocab = p.n_vocab,
                  .n_embd = p.n_embd,
                  .n_layers = p.n_layers,
                  .n_ctx_train = p.n_ctx_train,
                  .n_parameters = 0,
                  .file_bytes = model.file().file().file_bytes(),
                  .tied = model.file().is_tied()};
    for (const files::GgufTensor& tensor : model.file().file().tensors()) {
      out_.model.n_parameters += static_cast<std::uint64_t>(tensor.shape.n_elements());
    }
    out_.warnings = model.warnings();
    out_.cpu = sys::cpu_name();
    out_.isa = model.kernels().isa;
    out_.n_threads = options_.n_threads;
    out_.n_cores = sys::usable_cores();
    out_.repetitions = options_.repetitions;
    out_.margin = options_.margin;
    out_.prompt = options_.prompt;
    out_.n_predict = options_.n_predict;
  }

  // One model at a time is alive; only its table is kept, and only where all tables fit in half of the free memory.
  Result<std::shared_ptr<const engine::Model>> model_in(std::size_t i) {
    FormatResult& result = out_.formats[i];
    std::shared_ptr<AlignedBuffer> table = kept_[i].table;
    if (!table && result.format != table_.format) {
      TERN_TRY(Reencoded encoded, reencode(table_, *result.format, options_.n_threads));
      result.relative_rmse = std::sqrt(encoded.report.relative_mse());
      table = std::move(encoded.bytes);
      if (keep_tables_) kept_[i].table = table;
    }
    models::ModelFile file = *source_;
    if (table) {
      TERN_TRY_DO(file.replace(table_.name, *result.format, table));
    }
    return engine::Model::make(std::move(file), {.isa = options_.isa, .n_threads = options_.n_threads});
  }

  Result<void> score_all() {
    for (std::size_t i = 0; i < out_.formats.size(); ++i) {
      FormatResult& result = out_.formats[i];
      if (result.error.empty()) {
        auto scored = score(i);
        if (!scored && scored.error().code == ErrorCode::cancelled) return scored;
        if (!scored) result.error = scored.error().message;
      }
      if (!result.error.empty()) {
        result.texts.clear();
        kept_[i] = {};
        units_done_ = total_units() / out_.formats.size() * i;
      }
    }
    return {};
  }

  Result<void> score(std::size_t i) {
    FormatResult& result = out_.formats[i];
    TERN_TRY(const auto model, model_in(i));
    for (std::size_t t = 0; t < chunks_.size(); ++t) {
      Part part(progress_, units_done_, fmt::format("{}, {}", result.format->name, out_.texts[t].name));
      TERN_TRY(eval::PerplexityResult scored,
               eval::perplexity(model, chunks_[t], {.n_threads = options_.n_threads}, part));
      units_done_ += static_cast<std::uint64_t>(chunks_[t].n_chunks);
      kept_[i].nll.push_back(std::move(scored.nll));
      const std::vector<double>& other = kept_[i].nll.back();
      const std::vector<double>& base = out_.reference ? kept_[*out_.reference].nll[t] : other;
      const auto clusters = stats::equal_clusters(other.size(), static_cast<std::size_t>(chunks_[t].n_scored()));
      auto paired = stats::compare_paired(base, other, clusters);
      if (!paired) return in_context(out_.texts[t].name, std::move(paired).error());
      result.texts.push_back({.perplexity = scored.perplexity,
                              .standard_error = scored.standard_error,
                              .bits_per_byte = scored.bits_per_byte,
                              .paired = std::move(*paired),
                              .p_adjusted = {},
                              .identical = base == other});
    }
    if (options_.n_predict > 0) {
      TERN_TRY(result.continuation, continuation(model));
    }
    if (!out_.reference) out_.reference = i;
    if (i != *out_.reference) kept_[i].nll.clear();
    return {};
  }

  Result<std::string> continuation(std::shared_ptr<const engine::Model> model) {
    TERN_TRY(const auto session,
             engine::Session::make(std::move(model), {.n_threads = options_.n_threads,
                                                      .n_ctx = std::ssize(prompt_ids_) + options_.n_predict}));
    const engine::GenerateOptions wanted{.n_predict = options_.n_predict,
                                         .sampler = {.temperature = 0.0F},
                                         .stop = {},
                                         .continues_text = !options_.prompt.empty()};
    TERN_TRY(engine::GenerateResult result,
             engine::generate(*session, prompt_ids_, wanted, [&](std::string_view) { return !progress_.cancelled(); }));
    if (result.reason == engine::StopReason::cancelled) return fail(ErrorCode::cancelled, "stopped while generating");
    return std::move(result.text);
  }

  Result<void> measure_memory() {
    if (!options_.memory) return {};
    for (FormatResult& result : out_.formats) {
      if (!result.error.empty()) continue;
      progress_.update(units_done_, fmt::format("{}, memory", result.format->name));
      auto peak = options_.memory(*result.format);
      if (peak) {
        result.peak_memory = *peak;
      } else if (peak.error().code == ErrorCode::cancelled) {
        return std::unexpected(std::move(peak).error());
      } else {
        result.memory_error = std::move(peak).error().message;
      }
      units_done_ += kMemoryUnits;
    }
    return {};
  }

  // A B C ..., then again A B C ...: whatever slows the machine down for a while meets every format.
  Result<void> measure_speeds() {
    const SpeedProtocol protocol = fitting_protocol(out_.model.n_ctx_train, options_.n_threads);
    out_.n_prompt = protocol.n_prompt;
    out_.n_generate = protocol.n_generate;
    for (int round = 0; round < options_.repetitions; ++round) {
      for (std::size_t i = 0; i < out_.formats.size(); ++i) {
        FormatResult& result = out_.formats[i];
        if (!result.error.empty()) continue;
        progress_.update(units_done_, fmt::format("{}, speed, round {}", result.format->name, round + 1));
        TERN_TRY(auto model, model_in(i));
        TERN_TRY(const Speed speed, measure_speed(std::move(model), chunks_.front().ids, protocol, progress_));
        result.prefill.push_back(speed.prefill);
        result.generation.push_back(speed.generation);
        units_done_ += kSpeedUnits;
      }
    }
    return {};
  }

  const SweepOptions& options_;
  Progress& progress_;
  SweepResult out_;
  std::optional<models::ModelFile> source_;  // as it is in the file
  TensorView table_;
  std::vector<eval::Chunks> chunks_;  // by text
  std::vector<std::int32_t> prompt_ids_;
  std::vector<Kept> kept_;
  bool keep_tables_ = true;
  std::uint64_t units_done_ = 0;
};

}  // namespace

Result<SweepResult> sweep(const SweepOptions& options, Progress& progress) {
  if (options.data.empty()) return fail(ErrorCode::usage, "a sweep needs at least one text (--data FILE)");
  if (options.formats.empty()) return fail(ErrorCode::usage, "a sweep needs at least one format (--embedding)");
  return Sweep(options, progress).run();
}

}  // namespace tern::lab
