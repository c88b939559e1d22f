// What stands ready before the first step of a run: data, model, schedule, folder. Made anew, from a model to start
// from, or from a run's newest checkpoint.
#pragma once

#include <memory>

#include "train/data/sampler.hpp"
#include "train/run/run.hpp"
#include "train/run/run_folder.hpp"

namespace tern::train {

struct PreparedRun {
  explicit PreparedRun(Dataset opened) : data(std::move(opened)) {}

  Dataset data;
  RunState state;
  std::optional<linalg::Blas> blas;  // set
  kernels::Kernels kernels;
  Schedule schedule;
  std::optional<Sampler> sampler;  // reads `data`
  std::unique_ptr<Trainer> trainer;
  std::optional<RunFolder> folder;  // set; what ends before its first step takes it back
  std::string checkpoint;           // that the run goes on from; "" for a new one
};

/// Errors: as run(), before the first step. A folder that was made is gone again then.
[[nodiscard]] Result<std::unique_ptr<PreparedRun>> prepare_run(const RunRequest& request, Progress& progress);

/// A trainer of the state's model, with masters still to be set.
[[nodiscard]] Result<std::unique_ptr<Trainer>> make_trainer(const RunState& state, const linalg::Blas& blas,
                                                            const kernels::Kernels& kernels, int n_threads);

}  // namespace tern::train
