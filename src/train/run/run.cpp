#include "train/run/run.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/words.hpp"
#include "models/all.hpp"
#include "sys/atomic_file.hpp"
#include "sys/clock.hpp"
#include "sys/path.hpp"
#include "train/data/sampler.hpp"
#include "train/loops.hpp"
#include "train/run/gemm_peak.hpp"
#include "train/run/run_page.hpp"
#include "train/run/ternary_start.hpp"
#include "train/run/validation.hpp"

namespace tern::train {
namespace {

/// Which tensors a model of that state has.
std::function<bool(const models::TensorSpec&)> presence(const RunState& state) {
  return [names = state.optional_tensors](const models::TensorSpec& spec) {
    const bool may_be_absent = spec.optional || spec.fallback != models::kNone;
    return !may_be_absent || std::ranges::find(names, spec.name) != names.end();
  };
}

Result<std::unique_ptr<Trainer>> make_trainer(const RunState& state, const linalg::Blas& blas,
                                              const kernels::Kernels& kernels, int n_threads) {
  TrainerOptions options;
  TERN_TRY(options.quantizer, quantizer_of(state.recipe));
  options.optimizer = optimizer_of(state.recipe);
  options.size = {state.recipe.context, std::min(state.recipe.microbatch, state.recipe.batch)};
  options.n_threads = n_threads;
  TERN_TRY(const models::Architecture* architecture, models::by_name(state.model.architecture));
  return Trainer::make(architecture->plan(state.model), presence(state), options, blas, kernels);
}

double gradient_norm(const Parameter& parameter) {
  constexpr std::int64_t kRun = 1024;
  double sum = 0.0;
  for (std::int64_t i = 0; i < parameter.gradient.size(); i += kRun) {
    const float* gradient = parameter.gradient.data() + i;
    sum += static_cast<double>(loops::dot(gradient, gradient, std::min(kRun, parameter.gradient.size() - i)));
  }
  return std::sqrt(sum);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

bool is_multiple(std::int64_t step, std::int64_t every) {
  return every > 0 && step % every == 0;
}

class Run {
 public:
  Run(const RunRequest& request, const SampleText& sample, Progress& progress, Dataset data)
      : request_(request), sample_(sample), progress_(progress), data_(std::move(data)), folder_(request.out) {}

  Result<RunReport> go() {
    auto report = sitting();
    if (!report && report_.checkpoint.empty() && state_.step == 0) take_back_folder();
    return report;
  }

 private:
  Result<RunReport> sitting() {
    TERN_TRY_DO(prepare());
    progress_.begin("training", static_cast<std::uint64_t>(state_.n_steps));
    auto done = steps();
    progress_.end();
    if (!done) return std::unexpected(done.error());
    report_.state = state_;
    report_.tokens_per_second = median(speeds_);
    report_.share_of_peak = report_.tokens_per_second * trainer_->network().flops_per_token() / peak_;
    report_.finished = state_.step == state_.n_steps;
    return std::move(report_);
  }

  Result<void> prepare() {
    TERN_TRY(blas_, linalg::Blas::load());
    TERN_TRY(kernels_, kernels::choose());
    if (request_.resume) {
      TERN_TRY_DO(prepare_old());
    } else {
      TERN_TRY_DO(prepare_new());
    }
    TERN_TRY(schedule_, schedule_of(state_.recipe, state_.n_steps));
    const double lambda = schedule_.lambda(std::min(state_.step, state_.n_steps - 1));
    if (!request_.resume && request_.start && lambda == 1.0) {
      raise_ternary_values(trainer_->parameters(), trainer_->weights().options());
    }
    trainer_->begin(lambda, !request_.resume);
    TERN_TRY(log_, RunLog::open(request_.out, state_.step));
    measure_peak();
    return {};
  }

  Result<void> prepare_new() {
    TERN_TRY_DO(check_folder());
    state_.recipe = request_.recipe;
    TERN_TRY_DO(check(state_.recipe));
    const auto n_vocab = static_cast<std::int64_t>(data_.n_vocab());
    if (request_.start) {
      TERN_TRY_DO(take_start(*request_.start, n_vocab));
    } else {
      TERN_TRY(state_.model, hyper_parameters_of(state_.recipe, n_vocab));
      if (!state_.recipe.tie_word_embeddings) state_.optional_tensors = {"output.weight"};
    }
    TERN_TRY_DO(make_sampler());
    const std::int64_t per_step = state_.recipe.batch * state_.recipe.context;
    const auto epoch = static_cast<std::int64_t>(sampler_->epoch_windows()) * state_.recipe.context;
    const std::int64_t wanted = state_.recipe.tokens == 0 ? epoch : state_.recipe.tokens;
    state_.n_steps = wanted / per_step;
    if (state_.n_steps < 1) {
      return fail(ErrorCode::usage,
                  "{} tokens are less than one step of {} sequences x {} tokens; give more data or "
                  "tokens, or a smaller batch",
                  wanted, state_.recipe.batch, state_.recipe.context);
    }
    state_.data = data_.fingerprint();
    TERN_TRY(trainer_, make_trainer(state_, *blas_, *kernels_, request_.n_threads));
    if (request_.start) {
      TERN_TRY_DO(request_.start->fill(trainer_->parameters()));
    } else {
      initialise(trainer_->parameters(), static_cast<std::uint64_t>(state_.recipe.seed),
                 static_cast<float>(state_.recipe.initializer_range));
    }
    remember_machine();
    TERN_TRY_DO(make_folder());
    return sys::write_file(request_.out + "/recipe.json", recipe_json(state_.recipe), true);
  }

  Result<void> prepare_old() {
    std::vector<std::string> notes;
    auto saved = newest_checkpoint(request_.out, notes);
    for (const std::string& note : notes) progress_.note("warning: " + note);
    if (!saved) return std::unexpected(saved.error());
    state_ = saved->state();
    if (state_.data != data_.fingerprint()) {
      return fail(ErrorCode::bad_input, "{}: the run began on other data than {}; go on with the same", saved->path(),
                  request_.data);
    }
    if (state_.blas_kernels != blas_->kernels() || state_.isa != kernels_->isa) {
      progress_.note(
          fmt::format("note: the run began on {} and {} kernels, this machine has {} and {}: it goes on, but "
                      "not bit by bit as it would have there",
                      state_.blas_kernels, state_.isa, blas_->kernels(), kernels_->isa));
    }
    TERN_TRY_DO(make_sampler());
    TERN_TRY(trainer_, make_trainer(state_, *blas_, *kernels_, request_.n_threads));
    TERN_TRY_DO(saved->restore(*trainer_));
    report_.checkpoint = saved->path();
    remember_machine();
    return {};
  }

  // The most that was seen: another program may have had the processor the first time.
  void measure_peak() {
    peak_ =
        std::max(peak_, measure_gemm_peak(trainer_->plan(), trainer_->network().size(), *blas_, trainer_->pool(), 0.2));
  }

  void remember_machine() {
    state_.blas_kernels = blas_->kernels();
    state_.isa = kernels_->isa;
  }

  Result<void> take_start(const StartingModel& start, std::int64_t n_vocab) {
    if (start.parameters.n_vocab != n_vocab) {
      return fail(ErrorCode::usage,
                  "the model to start from has a vocabulary of {}, the data one of {}: pack the data "
                  "with the model's tokenizer",
                  start.parameters.n_vocab, n_vocab);
    }
    state_.model = start.parameters;
    TERN_TRY(const models::HyperParameters wanted, hyper_parameters_of(state_.recipe, n_vocab));
    state_.model.linear_activation = wanted.linear_activation;
    state_.model.n_ctx_train = std::max(state_.model.n_ctx_train, state_.recipe.context);
    state_.optional_tensors = start.tensors;
    return {};
  }

  Result<void> make_sampler() {
    SamplerOptions options;
    options.mode = state_.recipe.order == "windows" ? SampleMode::windows : SampleMode::shuffle;
    options.n_ctx = static_cast<std::uint64_t>(state_.recipe.context);
    options.n_rows = static_cast<std::uint64_t>(state_.recipe.batch);
    options.seed = static_cast<std::uint64_t>(state_.recipe.seed);
    options.mixture.assign(state_.recipe.mixture.begin(), state_.recipe.mixture.end());
    TERN_TRY(sampler_, Sampler::make(data_, std::move(options)));
    return {};
  }

  Result<void> check_folder() const {
    const std::vector<std::string> old = folder_.list();
    if (!old.empty()) {
      return fail(ErrorCode::usage, "{}: holds a run already ({}); go on with --resume, or choose another folder",
                  request_.out, std::filesystem::path(old.front()).filename().string());
    }
    std::error_code error;
    if (std::filesystem::exists(request_.out + "/" + std::string(kManifestName), error)) {
      return fail(ErrorCode::usage, "{}: holds a data set; choose another folder for the run", request_.out);
    }
    return {};
  }

  Result<void> make_folder() {
    std::error_code error;
    is_new_folder_ = std::filesystem::create_directories(sys::without_final_slashes(request_.out), error);
    if (error) return fail(ErrorCode::io, "{}: cannot be made: {}", request_.out, error.message());
    std::filesystem::remove(request_.out + "/log.jsonl", error);  // of a run that never came to a checkpoint
    return copy_tokenizer();
  }

  // A run that ended before its first step leaves nothing where nothing was.
  void take_back_folder() {
    if (!is_new_folder_) return;
    log_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(request_.out, ignored);
  }

  // The run's folder stands alone: what it is exported with lies in it.
  Result<void> copy_tokenizer() const {
    namespace fs = std::filesystem;
    const fs::path tokenizer(data_.tokenizer_path());
    for (const fs::path& name : {tokenizer.filename(), fs::path("tokenizer_config.json"), fs::path("merges.txt")}) {
      const fs::path from = tokenizer.parent_path() / name;
      std::error_code error;
      if (!fs::exists(from, error)) continue;
      fs::copy_file(from, fs::path(request_.out) / name, fs::copy_options::overwrite_existing, error);
      if (error)
        return fail(ErrorCode::io, "{}: cannot be copied to {}: {}", from.string(), request_.out, error.message());
    }
    return {};
  }

  Result<void> steps() {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(state_.recipe.batch * (state_.recipe.context + 1)));
    std::int64_t sitting = 0;
    while (state_.step < state_.n_steps) {
      TERN_TRY_DO(one_step(tokens));
      const bool last = state_.step == state_.n_steps;
      const bool stop = last || progress_.cancelled() || ++sitting == request_.stop_after;
      if (last || is_multiple(state_.step, state_.recipe.validate_every)) TERN_TRY_DO(look());
      if (last || is_multiple(state_.step, state_.recipe.sample_every)) TERN_TRY_DO(write_sample());
      if (stop || is_multiple(state_.step, state_.recipe.checkpoint_every)) TERN_TRY_DO(keep());
      if (progress_.cancelled() && !last) {
        return fail(ErrorCode::cancelled, "stopped after step {} of {}; go on with --resume", state_.step,
                    state_.n_steps);
      }
      if (stop) break;
    }
    return {};
  }

  Result<void> one_step(std::vector<std::int32_t>& tokens) {
    const std::int64_t s = state_.step;
    const std::size_t row = static_cast<std::size_t>(state_.recipe.context + 1);
    std::uint64_t n_bytes = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(state_.recipe.batch); ++r) {
      TERN_TRY_DO(sampler_->copy(static_cast<std::uint64_t>(s), r, tokens.data() + r * row));
      for (std::size_t t = 1; t < row; ++t)
        n_bytes += data_.token_bytes()[static_cast<std::size_t>(tokens[r * row + t])];
    }
    const sys::Stopwatch watch;
    const double next_lambda = schedule_.lambda(std::min(s + 1, state_.n_steps - 1));
    const StepReport step =
        trainer_->step(tokens, schedule_.learning_rate(s), schedule_.weight_decay_at(s), next_lambda);
    const double seconds = watch.seconds();
    const auto n_tokens = static_cast<double>(state_.recipe.batch * state_.recipe.context);
    TERN_TRY_DO(check_loss(step, s));
    ++state_.step;
    state_.least_loss = std::min(state_.least_loss, step.loss);
    const double speed = n_tokens / seconds;
    speeds_.push_back(speed);
    StepLine line{.step = state_.step,
                  .tokens = state_.step * state_.recipe.batch * state_.recipe.context,
                  .loss = step.loss,
                  .bits_per_byte = bits_per_byte(step.loss * n_tokens, n_bytes),
                  .learning_rate = schedule_.learning_rate(s),
                  .weight_decay = schedule_.weight_decay_at(s),
                  .lambda = schedule_.lambda(s),
                  .gradient_norm = step.gradient_norm,
                  .flips = step.n_flips,
                  .seconds = seconds,
                  .share_of_peak = speed * trainer_->network().flops_per_token() / peak_};
    progress_.update(
        static_cast<std::uint64_t>(state_.step),
        fmt::format("loss {:.4f}, {:.3f} bits/byte, {} tokens/s, {:.0f} % of peak", line.loss, line.bits_per_byte,
                    with_separators(static_cast<std::uint64_t>(speed)), 100.0 * line.share_of_peak));
    return log_->add(line);
  }

  Result<void> check_loss(const StepReport& step, std::int64_t s) const {
    const bool is_number = std::isfinite(step.loss) && std::isfinite(step.gradient_norm);
    const double allowed = state_.recipe.diverged_above;
    if (is_number && (allowed == 0.0 || step.loss <= state_.least_loss + allowed)) return {};
    const std::string kept =
        report_.checkpoint.empty()
            ? std::string("no checkpoint was written yet")
            : fmt::format("{} is kept", std::filesystem::path(report_.checkpoint).filename().string());
    return fail(ErrorCode::bad_input,
                "the loss {} at step {} (learning rate {:.3g}, norm of the gradient {:.3g}): lower "
                "optimizer.learning_rate or raise schedule.warm_up and begin anew; {}",
                is_number ? fmt::format("went up to {:.3f} from {:.3f}", step.loss, state_.least_loss)
                          : std::string("is no number"),
                s + 1, schedule_.learning_rate(s), step.gradient_norm, kept);
  }

  Result<void> look() {
    ValidationLine line;
    line.step = state_.step;
    TERN_TRY(line.losses, validate(trainer_->network(), data_, state_.recipe.validation_tokens));
    for (const auto& weight : trainer_->weights().all()) {
      if (!weight->is_quantized()) continue;
      line.matrices.push_back({weight->master().name, weight->statistics(), gradient_norm(weight->master())});
    }
    for (const SourceLoss& loss : line.losses) {
      progress_.note(fmt::format("step {}: {} held out {:.4f} nats/token, {:.4f} bits/byte", state_.step, loss.source,
                                 loss.nats, loss.bits_per_byte));
    }
    report_.losses = line.losses;
    measure_peak();
    TERN_TRY_DO(log_->add(line));
    return write_page();
  }

  Result<void> write_sample() {
    if (!sample_ || state_.recipe.sample_every == 0) return {};
    const auto text = sample_(state_, *trainer_, state_.recipe.sample_prompt);
    if (!text) {  // a prompt that does not fit, say: no reason to end a night's work
      progress_.note(fmt::format("warning: step {}: no sample: {}", state_.step, text.error().message));
      return {};
    }
    TERN_TRY_DO(log_->add(SampleLine{state_.step, state_.recipe.sample_prompt, *text}));
    progress_.note(fmt::format("step {}: \"{}{}\"", state_.step, state_.recipe.sample_prompt, printable(*text, 400)));
    return write_page();
  }

  Result<void> keep() {
    TERN_TRY(report_.checkpoint, folder_.save(state_, *trainer_));
    return write_page();
  }

  Result<void> write_page() const {
    return sys::write_file(request_.out + "/report.html", run_page(state_, log_->history()), true);
  }

  const RunRequest& request_;
  const SampleText& sample_;
  Progress& progress_;
  Dataset data_;
  CheckpointFolder folder_;
  bool is_new_folder_ = false;
  std::optional<linalg::Blas> blas_;
  std::optional<kernels::Kernels> kernels_;
  RunState state_;
  Schedule schedule_;
  std::optional<Sampler> sampler_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<RunLog> log_;
  double peak_ = 1.0;
  std::vector<double> speeds_;
  RunReport report_;
};

}  // namespace

Result<RunReport> run(const RunRequest& request, const SampleText& sample, Progress& progress) {
  TERN_TRY(Dataset data, Dataset::open(request.data));
  return Run(request, sample, progress, std::move(data)).go();
}

Result<std::unique_ptr<Trainer>> restore(const SavedRun& saved, int n_threads) {
  TERN_TRY(const linalg::Blas blas, linalg::Blas::load());
  TERN_TRY(const kernels::Kernels kernels, kernels::choose());
  TERN_TRY(auto trainer, make_trainer(saved.state(), blas, kernels, n_threads));
  TERN_TRY_DO(saved.restore(*trainer));
  TERN_TRY(const Schedule schedule, schedule_of(saved.state().recipe, saved.state().n_steps));
  trainer->begin(schedule.lambda(std::min(saved.state().step, saved.state().n_steps - 1)), false);
  return trainer;
}

}  // namespace tern::train
