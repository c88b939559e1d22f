// A training run from its first step (or its last checkpoint) to its end: draws the data, takes the steps, looks at the
// held-out text, logs, and keeps checkpoints, so that a run that was stopped at any moment goes on bit by bit as if it
// had not been. What a sample of text is, and how progress is shown, comes in from outside.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/progress.hpp"
#include "train/run/checkpoint.hpp"
#include "train/run/run_log.hpp"

namespace tern::train {

/// A model to start from, instead of random weights.
struct StartingModel {
  models::HyperParameters parameters;
  std::vector<std::string> tensors;  // of the plan's optional ones, those it has
  /// Fills the masters.
  std::function<Result<void>(Parameters&)> fill;
};

struct RunRequest {
  Recipe recipe;
  std::string data;  // folder of tern data pack
  std::string out;   // folder of the run
  bool resume = false;
  int n_threads = 1;
  std::optional<StartingModel> start;
  /// Stops after so many steps of this sitting, with a checkpoint; 0: at the run's end.
  std::int64_t stop_after = 0;
};

/// A continuation of the prompt by the model as it is; called between steps.
using SampleText = std::function<Result<std::string>(const RunState&, Trainer&, const std::string& prompt)>;

struct RunReport {
  RunState state;
  double loss = 0.0;  // of the last step, nats a token
  double bits_per_byte = 0.0;
  std::vector<SourceLoss> losses;  // of the last look
  std::string checkpoint;          // path of the last
  double tokens_per_second = 0.0;  // median of this sitting's steps
  double share_of_peak = 0.0;
  bool finished = false;
};

/// Errors: usage and bad_input before the first step; cancelled after a checkpoint was written; bad_input with advice
/// when the loss is no number or has run away (the checkpoints stay as they are); io, out_of_space.
[[nodiscard]] Result<RunReport> run(const RunRequest& request, const SampleText& sample, Progress& progress);

/// The trainer of a saved run, its masters set and its matrices quantised as they were: for exports and tests. Errors:
/// those of Blas::load, Trainer::make and SavedRun::restore.
[[nodiscard]] Result<std::unique_ptr<Trainer>> restore(const SavedRun& saved, int n_threads);

}  // namespace tern::train
