#include "train/run/prepare.hpp"

#include <algorithm>
#include <filesystem>

#include "models/all.hpp"
#include "sys/atomic_file.hpp"
#include "sys/path.hpp"
#include "train/run/ternary_start.hpp"

namespace tern::train {
namespace {

/// Which tensors a model of that state has.
std::function<bool(const models::TensorSpec&)> presence(const RunState& state) {
  return [names = state.optional_tensors](const models::TensorSpec& spec) {
    const bool may_be_absent = spec.optional || spec.fallback != models::kNone;
    return !may_be_absent || std::ranges::find(names, spec.name) != names.end();
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
    const RunState& state = run_->state;
    TERN_TRY(run_->schedule, schedule_of(state.recipe, state.n_steps));
    const double lambda = run_->schedule.lambda(std::min(state.step, state.n_steps - 1));
    if (!request_.resume && request_.start && lambda == 1.0) {
      raise_ternary_values(run_->trainer->parameters(), run_->trainer->weights().options());
    }
    run_->trainer->begin(lambda, !request_.resume);
    return {};
  }

  Result<void> load_libraries(const Recipe& recipe) {
    TERN_TRY(const linalg::Precision precision, matmul_of(recipe));
    TERN_TRY(run_->blas, linalg::Blas::load(precision));
    TERN_TRY(run_->kernels, kernels::choose());
    return {};
  }

  Result<void> begin() {
    run_->state.recipe = request_.recipe;
    TERN_TRY_DO(check(run_->state.recipe));
    TERN_TRY_DO(load_libraries(run_->state.recipe));
    const auto n_vocab = static_cast<std::int64_t>(run_->data.n_vocab());
    if (request_.start) {
      TERN_TRY_DO(take_start(*request_.start, n_vocab));
    } else {
      TERN_TRY(run_->state.model, hyper_parameters_of(run_->state.recipe, n_vocab));
      if (!run_->state.recipe.tie_word_embeddings) run_->state.optional_tensors = {"output.weight"};
    }
    TERN_TRY_DO(make_sampler());
    const std::int64_t per_step = run_->state.recipe.batch * run_->state.recipe.context;
    const auto epoch = static_cast<std::int64_t>(run_->sampler->epoch_windows()) * run_->state.recipe.context;
    const std::int64_t wanted = run_->state.recipe.tokens == 0 ? epoch : run_->state.recipe.tokens;
    run_->state.n_steps = wanted / per_step;
    if (run_->state.n_steps < 1) {
      return fail(ErrorCode::usage,
                  "{} tokens are less than one step of {} sequences x {} tokens; give more data or "
                  "tokens, or a smaller batch",
                  wanted, run_->state.recipe.batch, run_->state.recipe.context);
    }
    constexpr std::int64_t kFew = 50;
    if (run_->state.recipe.tokens == 0 && run_->state.n_steps < kFew) {
      progress_.note(fmt::format("note: one epoch of {} tokens is {} {}; --set optimizer.tokens=N trains longer", epoch,
                                 run_->state.n_steps, run_->state.n_steps == 1 ? "step" : "steps"));
    }
    run_->state.data = run_->data.fingerprint();
    TERN_TRY(run_->trainer, make_trainer(run_->state, *run_->blas, run_->kernels, request_.n_threads));
    if (request_.start) {
      TERN_TRY_DO(request_.start->fill(run_->trainer->parameters()));
    } else {
      initialise(run_->trainer->parameters(), static_cast<std::uint64_t>(run_->state.recipe.seed),
                 static_cast<float>(run_->state.recipe.initializer_range));
    }
    remember_machine();
    TERN_TRY(RunFolder claimed, RunFolder::begin(request_.out));
    run_->folder.emplace(std::move(claimed));
    TERN_TRY_DO(copy_tokenizer());
    return sys::write_file(request_.out + "/recipe.json", recipe_json(run_->state.recipe), true);
  }

  Result<void> go_on() {
    std::vector<std::string> notes;
    auto saved = newest_checkpoint(request_.out, notes);
    for (const std::string& note : notes) progress_.note("warning: " + note);
    if (!saved) return std::unexpected(saved.error());
    TERN_TRY(RunFolder claimed, RunFolder::go_on(request_.out));
    run_->folder.emplace(std::move(claimed));
    run_->state = saved->state();
    TERN_TRY_DO(load_libraries(run_->state.recipe));
    if (run_->state.data != run_->data.fingerprint()) {
      return fail(ErrorCode::bad_input, "{}: the run began on other data than {}; go on with the same", saved->path(),
                  request_.data);
    }
    if (run_->state.blas_kernels != run_->blas->kernels() || run_->state.isa != run_->kernels.isa) {
      progress_.note(
          fmt::format("note: the run began on {} and {} kernels, this machine has {} and {}: it goes on, but "
                      "not bit by bit as it would have there",
                      run_->state.blas_kernels, run_->state.isa, run_->blas->kernels(), run_->kernels.isa));
    }
    TERN_TRY_DO(make_sampler());
    TERN_TRY(run_->trainer, make_trainer(run_->state, *run_->blas, run_->kernels, request_.n_threads));
    TERN_TRY_DO(saved->restore(*run_->trainer));
    run_->checkpoint = saved->path();
    remember_machine();
    return {};
  }

  void remember_machine() {
    run_->state.blas_kernels = run_->blas->kernels();
    run_->state.isa = run_->kernels.isa;
  }

  Result<void> take_start(const StartingModel& start, std::int64_t n_vocab) {
    if (start.parameters.n_vocab != n_vocab) {
      return fail(ErrorCode::usage,
                  "the model to start from has a vocabulary of {}, the data one of {}: pack the data "
                  "with the model's tokenizer",
                  start.parameters.n_vocab, n_vocab);
    }
    const bool was_rounded = start.parameters.linear_activation.mode == models::ActivationPolicy::Mode::per_token;
    if (was_rounded && run_->state.recipe.weights == "none") {
      progress_.note(
          "note: the model was trained with rounded weights and activations, and this recipe goes on in float; for its "
          "own kind add --set quantization.weights=absmean --set quantization.activations=int8");
    }
    run_->state.model = start.parameters;
    TERN_TRY(const models::HyperParameters wanted, hyper_parameters_of(run_->state.recipe, n_vocab));
    run_->state.model.linear_activation = wanted.linear_activation;
    run_->state.model.n_ctx_train = std::max(run_->state.model.n_ctx_train, run_->state.recipe.context);
    run_->state.optional_tensors = start.tensors;
    describe_model(run_->state.model, run_->state.recipe);
    run_->state.recipe.tie_word_embeddings = std::ranges::find(start.tensors, "output.weight") == start.tensors.end();
    return {};
  }

  Result<void> make_sampler() {
    SamplerOptions options;
    options.mode = run_->state.recipe.order == "windows" ? SampleMode::windows : SampleMode::shuffle;
    options.n_ctx = static_cast<std::uint64_t>(run_->state.recipe.context);
    options.n_rows = static_cast<std::uint64_t>(run_->state.recipe.batch);
    options.seed = static_cast<std::uint64_t>(run_->state.recipe.seed);
    options.mixture.assign(run_->state.recipe.mixture.begin(), run_->state.recipe.mixture.end());
    TERN_TRY(run_->sampler, Sampler::make(run_->data, std::move(options)));
    return {};
  }

  // The run's folder stands alone: what it is exported with lies in it.
  Result<void> copy_tokenizer() const {
    namespace fs = std::filesystem;
    const fs::path tokenizer(run_->data.tokenizer_path());
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

  const RunRequest& request_;
  Progress& progress_;
  std::unique_ptr<PreparedRun> run_;
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
