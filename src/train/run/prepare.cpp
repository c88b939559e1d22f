#include "train/run/prepare.hpp"

#include <algorithm>
#include <filesystem>

#include "models/all.hpp"
#include "sys/atomic_file.hpp"
#include "sys/path.hpp"
#include "train/data/tokenizer_copy.hpp"
#include "train/run/ternary_start.hpp"

namespace tern::train {
namespace {

/// Which tensors a model of that state has.
std::function<bool(const models::TensorSpec&)> presence(const RunState& state) {
  return [names = state.optional_tensors](const models::TensorSpec& spec) {
    return !spec.may_be_absent() || std::ranges::find(names, spec.name) != names.end();
  };
}

class Preparation {
 public:
  Preparation(const RunRequest& request, Progress& progress, Dataset data)
      : request_(request), progress_(progress), run_(std::make_unique<PreparedRun>(std::move(data))) {}

  Result<std::unique_ptr<PreparedRun>> go() {
    auto done = request_.resume ? go_on() : begin();
    if (done) done = finish();
    if (done) return std::move(run_);
    if (run_->folder) run_->folder->take_back();
    return std::unexpected(std::move(done).error());
  }

 private:
  Result<void> finish() {
    TERN_TRY(run_->schedule, schedule_of(state_.recipe, state_.n_steps));
    const double lambda = run_->schedule.lambda(state_.step);
    if (!request_.resume && request_.start && lambda == 1.0) {
      raise_ternary_values(run_->trainer->parameters(), run_->trainer->weights().options());
    }
    run_->trainer->begin(lambda, !request_.resume);
    return {};
  }

  // Of a run that goes on, the state says who multiplied before.
  Result<void> load_libraries() {
    TERN_TRY(const linalg::Matmul matmul, matmul_of(state_.recipe));
    TERN_TRY(run_->blas, linalg::Blas::load(matmul, state_.blas_kernels));
    TERN_TRY(run_->kernels, kernels::choose());
    return {};
  }

  Result<void> begin() {
    state_.recipe = request_.recipe;
    TERN_TRY_DO(check(state_.recipe));
    TERN_TRY_DO(load_libraries());
    const auto n_vocab = static_cast<std::int64_t>(run_->data.n_vocab());
    if (request_.start) {
      TERN_TRY_DO(take_start(*request_.start, n_vocab));
    } else {
      TERN_TRY(state_.model, hyper_parameters_of(state_.recipe, n_vocab));
      if (!state_.recipe.tie_word_embeddings) state_.optional_tensors = {"output.weight"};
    }
    TERN_TRY_DO(make_sampler());
    const std::int64_t per_step = state_.recipe.batch * state_.recipe.context;
    const auto epoch = static_cast<std::int64_t>(run_->sampler->epoch_windows()) * state_.recipe.context;
    const std::int64_t wanted = state_.recipe.tokens == 0 ? epoch : state_.recipe.tokens;
    state_.n_steps = wanted / per_step;
    if (state_.n_steps < 1) {
      return fail(ErrorCode::usage,
                  "{} tokens are less than one step of {} sequences x {} tokens; give more data or "
                  "tokens, or a smaller batch",
                  wanted, state_.recipe.batch, state_.recipe.context);
    }
    constexpr std::int64_t kFew = 50;
    if (state_.recipe.tokens == 0 && state_.n_steps < kFew) {
      progress_.note(fmt::format("note: one epoch of {} tokens is {} {}; --set optimizer.tokens=N trains longer", epoch,
                                 state_.n_steps, state_.n_steps == 1 ? "step" : "steps"));
    }
    state_.data = run_->data.fingerprint();
    TERN_TRY(run_->trainer, make_trainer(state_, *run_->blas, run_->kernels, request_.n_threads));
    if (request_.start) {
      TERN_TRY_DO(request_.start->fill(run_->trainer->parameters()));
    } else {
      initialise(run_->trainer->parameters(), static_cast<std::uint64_t>(state_.recipe.seed),
                 first_weights_of(state_.recipe));
    }
    remember_machine();
    TERN_TRY(RunFolder claimed, RunFolder::begin(request_.out));
    run_->folder.emplace(std::move(claimed));
    TERN_TRY_DO(copy_tokenizer());
    TERN_TRY_DO(sys::write_file(request_.out + "/recipe.json", recipe_json(state_.recipe), true));
    note_what_differs();
    return {};
  }

  // What would be done, but silently not as a person expects.
  void note_what_differs() const {
    if (request_.n_threads > linalg::Blas::kMostThreads) {
      progress_.note(fmt::format("note: training uses {} threads at most, not {}", linalg::Blas::kMostThreads,
                                 request_.n_threads));
    }
    if (state_.recipe.warm_up >= state_.n_steps) {
      progress_.note(
          fmt::format("note: the learning rate grows for {} steps and the run has {}: it never reaches its peak; --set "
                      "schedule.warm_up=N makes that shorter",
                      state_.recipe.warm_up, state_.n_steps));
    }
    const auto window = static_cast<std::uint64_t>(state_.recipe.context) + 1;
    bool is_any_held_out = false;
    for (const Source& source : run_->data.sources()) {
      const std::uint64_t n_train = source.train.n_tokens();
      const std::uint64_t n_held_out = source.held_out.n_tokens();
      if (n_train > 0 && n_train < window && state_.recipe.mixture.empty()) {
        progress_.note(fmt::format("note: {} has {} tokens to train on, a window needs {}: it is left out", source.name,
                                   n_train, window));
      }
      if (n_held_out > 0 && n_held_out < window) {
        progress_.note(fmt::format("note: of {} {} tokens are held out, a window needs {}: they are not looked at",
                                   source.name, n_held_out, window));
      }
      is_any_held_out = is_any_held_out || n_held_out > 0;
    }
    if (!is_any_held_out) {
      progress_.note(
          "note: the data hold nothing out, so there is no loss on text that the model has not seen; tern data pack "
          "has --valid and --held-out for that");
    }
  }

  Result<void> go_on() {
    TERN_TRY(const SavedRun saved, newest_checkpoint(request_.out, progress_));
    TERN_TRY(RunFolder claimed, RunFolder::go_on(request_.out));
    run_->folder.emplace(std::move(claimed));
    state_ = saved.state();
    TERN_TRY_DO(load_libraries());
    if (state_.data != run_->data.fingerprint()) {
      return fail(ErrorCode::bad_input, "{}: the run began on other data than {}; go on with the same", saved.path(),
                  request_.data);
    }
    if (state_.blas_kernels != run_->blas->kernels() || state_.isa != run_->kernels.isa) {
      progress_.note(
          fmt::format("note: the run began on {} and {} kernels, this machine has {} and {}: it goes on, but "
                      "not bit by bit as it would have there",
                      state_.blas_kernels, state_.isa, run_->blas->kernels(), run_->kernels.isa));
    }
    TERN_TRY_DO(make_sampler());
    TERN_TRY(run_->trainer, make_trainer(state_, *run_->blas, run_->kernels, request_.n_threads));
    TERN_TRY_DO(saved.restore(*run_->trainer));
    run_->checkpoint = saved.path();
    remember_machine();
    return {};
  }

  void remember_machine() {
    state_.blas_kernels = run_->blas->kernels();
    state_.isa = run_->kernels.isa;
  }

  Result<void> take_start(const StartingModel& start, std::int64_t n_vocab) {
    if (start.parameters.n_vocab != n_vocab) {
      return fail(ErrorCode::usage,
                  "the model to start from has a vocabulary of {}, the data one of {}: pack the data "
                  "with the model's tokenizer",
                  start.parameters.n_vocab, n_vocab);
    }
    const bool was_rounded = start.parameters.linear_activation.mode == models::ActivationPolicy::Mode::per_token;
    if (was_rounded && state_.recipe.weights == "none") {
      progress_.note(
          "note: the model was trained with rounded weights and activations, and this recipe goes on in float; for its "
          "own kind add --set quantization.weights=absmean --set quantization.activations=int8");
    }
    state_.model = start.parameters;
    TERN_TRY(const models::HyperParameters wanted, hyper_parameters_of(state_.recipe, n_vocab));
    state_.model.linear_activation = wanted.linear_activation;
    state_.model.n_ctx_train = std::max(state_.model.n_ctx_train, state_.recipe.context);
    state_.optional_tensors = start.tensors;
    describe_model(state_.model, state_.recipe);
    state_.recipe.tie_word_embeddings = std::ranges::find(start.tensors, "output.weight") == start.tensors.end();
    return {};
  }

  Result<void> make_sampler() {
    SamplerOptions options;
    options.mode = state_.recipe.order == "windows" ? SampleMode::windows : SampleMode::shuffle;
    options.n_ctx = static_cast<std::uint64_t>(state_.recipe.context);
    options.n_rows = static_cast<std::uint64_t>(state_.recipe.batch);
    options.seed = static_cast<std::uint64_t>(state_.recipe.seed);
    options.mixture.assign(state_.recipe.mixture.begin(), state_.recipe.mixture.end());
    TERN_TRY(run_->sampler, Sampler::make(run_->data, std::move(options)));
    return {};
  }

  // The run's folder stands alone: what it is exported with lies in it.
  Result<void> copy_tokenizer() const {
    namespace fs = std::filesystem;
    for (const std::string& name : tokenizer_file_names()) {
      const fs::path from = fs::path(request_.data) / name;
      std::error_code error;
      if (!fs::exists(from, error)) continue;
      fs::copy_file(from, fs::path(request_.out) / name, fs::copy_options::overwrite_existing, error);
      if (error)
        return fail(ErrorCode::io, "{}: cannot be copied to {}: {}", from.string(), request_.out, error.message());
    }
    return {};
  }

  const RunRequest& request_;
  Progress& progress_;
  std::unique_ptr<PreparedRun> run_;
  RunState& state_ = run_->state;
};

}  // namespace

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

Result<std::unique_ptr<PreparedRun>> prepare_run(const RunRequest& request, Progress& progress) {
  TERN_TRY(Dataset data, Dataset::open(request.data, true));
  return Preparation(request, progress, std::move(data)).go();
}

}  // namespace tern::train
