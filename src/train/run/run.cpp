#include "train/run/run.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/words.hpp"
#include "stats/summary.hpp"
#include "sys/atomic_file.hpp"
#include "sys/clock.hpp"
#include "train/loops.hpp"
#include "train/run/gemm_peak.hpp"
#include "train/run/prepare.hpp"
#include "train/run/run_page.hpp"
#include "train/run/validation.hpp"

namespace tern::train {
namespace {

double gradient_norm(const Parameter& parameter) {
  return std::sqrt(loops::squares(parameter.gradient.data(), parameter.gradient.size()));
}

bool is_multiple(std::int64_t step, std::int64_t every) {
  return every > 0 && step % every == 0;
}

/// Rounding that begins, or has come to its full depth, raises the loss: what it was before is no measure then.
bool rounding_turns(double before, double now) {
  return (before == 0.0 && now > 0.0) || (before < 1.0 && now == 1.0);
}

class Run {
 public:
  Run(const RunRequest& request, const SampleText& sample, Progress& progress, PreparedRun& prepared, RunLog log)
      : request_(request),
        sample_(sample),
        progress_(progress),
        run_(prepared),
        state_(prepared.state),
        log_(std::move(log)),
        folder_(request.out) {
    report_.checkpoint = prepared.checkpoint;
    measure_peak();
  }

  Result<RunReport> go() {
    first_step_ = state_.step;
    progress_.begin("training", static_cast<std::uint64_t>(state_.n_steps - first_step_));
    auto done = steps();
    progress_.end();
    if (!done) return std::unexpected(done.error());
    report_.state = state_;
    report_.tokens_per_second = speeds_.empty() ? 0.0 : stats::median(speeds_);
    report_.share_of_peak = report_.tokens_per_second * run_.trainer->network().flops_per_token() / peak_;
    report_.finished = state_.step == state_.n_steps;
    return std::move(report_);
  }

  /// Nothing has come of the run that could be gone on with.
  [[nodiscard]] bool came_to_nothing() const { return report_.checkpoint.empty() && state_.step == 0; }

 private:
  // The most that was seen: another program may have had the processor the first time.
  void measure_peak() {
    peak_ = std::max(peak_, measure_gemm_peak(run_.trainer->plan(), run_.trainer->network().size(), *run_.blas,
                                              run_.trainer->pool(), 0.2));
  }

  Result<void> steps() {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(state_.recipe.batch * (state_.recipe.context + 1)));
    std::int64_t sitting = 0;
    while (state_.step < state_.n_steps) {
      TERN_TRY_DO(one_step(tokens));
      const bool last = state_.step == state_.n_steps;
      const bool stop = last || progress_.cancelled() || ++sitting == request_.stop_after;
      const bool looks = last || is_multiple(state_.step, state_.recipe.validate_every);
      const bool samples = last || is_multiple(state_.step, state_.recipe.sample_every);
      const bool keeps = stop || is_multiple(state_.step, state_.recipe.checkpoint_every);
      if (looks) TERN_TRY_DO(look());
      if (samples) TERN_TRY_DO(write_sample());
      if (keeps) TERN_TRY_DO(keep());
      if (looks || samples || keeps) TERN_TRY_DO(write_page());
      if (progress_.cancelled() && !last) {
        return fail(ErrorCode::cancelled, "stopped after step {} of {}; go on with tern train --resume --data {} -o {}",
                    state_.step, state_.n_steps, request_.data, request_.out);
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
      TERN_TRY_DO(run_.sampler->copy(static_cast<std::uint64_t>(s), r, tokens.data() + r * row));
      for (std::size_t t = 1; t < row; ++t)
        n_bytes += run_.data.token_bytes()[static_cast<std::size_t>(tokens[r * row + t])];
    }
    const sys::Stopwatch watch;
    const double next_lambda = run_.schedule.lambda(s + 1);
    const StepReport step =
        run_.trainer->step(tokens, run_.schedule.learning_rate(s), run_.schedule.weight_decay_at(s), next_lambda);
    const double seconds = watch.seconds();
    const auto n_tokens = static_cast<double>(state_.recipe.batch * state_.recipe.context);
    if (s > 0 && rounding_turns(run_.schedule.lambda(s - 1), run_.schedule.lambda(s))) state_.least_loss = kNoLossYet;
    TERN_TRY_DO(check_loss(step, s));
    ++state_.step;
    state_.least_loss = std::min(state_.least_loss, step.loss);
    const double speed = n_tokens / seconds;
    speeds_.push_back(speed);
    StepLine line{.step = state_.step,
                  .tokens = state_.step * state_.recipe.batch * state_.recipe.context,
                  .loss = step.loss,
                  .bits_per_byte = bits_per_byte(step.loss * n_tokens, n_bytes),
                  .learning_rate = run_.schedule.learning_rate(s),
                  .weight_decay = run_.schedule.weight_decay_at(s),
                  .lambda = run_.schedule.lambda(s),
                  .gradient_norm = step.gradient_norm,
                  .flips = step.n_flips,
                  .seconds = seconds,
                  .share_of_peak = speed * run_.trainer->network().flops_per_token() / peak_};
    progress_.update(static_cast<std::uint64_t>(state_.step - first_step_),
                     fmt::format("{}/{}  loss {:.3f}  {:.3f} bits/byte  {} tokens/s  {:.0f} % of peak", state_.step,
                                 state_.n_steps, line.loss, line.bits_per_byte,
                                 with_separators(static_cast<std::uint64_t>(speed)), 100.0 * line.share_of_peak));
    report_.loss = line.loss;
    report_.bits_per_byte = line.bits_per_byte;
    return log_.add(line);
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
                s + 1, run_.schedule.learning_rate(s), step.gradient_norm, kept);
  }

  Result<void> look() {
    ValidationLine line;
    line.step = state_.step;
    TERN_TRY(line.losses, validate(run_.trainer->network(), run_.data, state_.recipe.validation_tokens));
    for (const auto& weight : run_.trainer->weights().all()) {
      line.matrices.push_back({.name = weight->master().name, .gradient_norm = gradient_norm(weight->master())});
      if (weight->is_quantized()) line.matrices.back().codes = weight->statistics();
    }
    for (const SourceLoss& loss : line.losses) {
      progress_.note(fmt::format("step {}: {} held out {:.4f} nats/token, {:.4f} bits/byte", state_.step, loss.source,
                                 loss.nats, loss.bits_per_byte));
    }
    report_.losses = line.losses;
    measure_peak();
    return log_.add(line);
  }

  Result<void> write_sample() {
    if (!sample_ || state_.recipe.sample_every == 0) return {};
    const auto text = sample_(state_, *run_.trainer, state_.recipe.sample_prompt);
    if (!text) {  // a prompt that does not fit, say: no reason to end a night's work
      progress_.note(fmt::format("warning: step {}: no sample: {}", state_.step, text.error().message));
      return {};
    }
    TERN_TRY_DO(log_.add(SampleLine{state_.step, state_.recipe.sample_prompt, *text}));
    progress_.note(fmt::format("step {}: \"{}{}\"", state_.step, state_.recipe.sample_prompt, printable(*text, 400)));
    return {};
  }

  Result<void> keep() {
    TERN_TRY(report_.checkpoint, folder_.save(state_, *run_.trainer));
    return {};
  }

  Result<void> write_page() const {
    return sys::write_file(request_.out + "/report.html", run_page(state_, log_.history()), true);
  }

  const RunRequest& request_;
  const SampleText& sample_;
  Progress& progress_;
  PreparedRun& run_;
  RunState& state_;
  RunLog log_;
  CheckpointFolder folder_;
  std::int64_t first_step_ = 0;  // of this sitting
  double peak_ = 1.0;
  std::vector<double> speeds_;
  RunReport report_;
};

}  // namespace

Result<RunReport> run(const RunRequest& request, const SampleText& sample, Progress& progress) {
  TERN_TRY(const std::unique_ptr<PreparedRun> prepared, prepare_run(request, progress));
  auto log = RunLog::open(request.out, prepared->state.step);
  if (!log) {
    prepared->folder->take_back();
    return std::unexpected(std::move(log).error());
  }
  Run running(request, sample, progress, *prepared, std::move(*log));
  auto report = running.go();
  if (!report && running.came_to_nothing()) prepared->folder->take_back();
  return report;
}

Result<std::unique_ptr<Trainer>> restore(const SavedRun& saved, int n_threads) {
  TERN_TRY(const linalg::Blas blas, linalg::Blas::load(linalg::Matmul::float32, saved.state().blas_kernels));
  TERN_TRY(const kernels::Kernels kernels, kernels::choose());
  TERN_TRY(auto trainer, make_trainer(saved.state(), blas, kernels, n_threads));
  TERN_TRY_DO(saved.restore(*trainer));
  TERN_TRY(const Schedule schedule, schedule_of(saved.state().recipe, saved.state().n_steps));
  trainer->begin(schedule.lambda(saved.state().step), false);
  return trainer;
}

}  // namespace tern::train
