// What a run is beside its weights: the recipe, the model's numbers, how far it has come, and what must be the same for
// it to go on bit by bit. Travels in the checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/run/recipe.hpp"

namespace tern::train {

inline constexpr double kNoLossYet = 1e300;

struct RunState {
  Recipe recipe;
  models::HyperParameters model;
  std::vector<std::string> optional_tensors;  // of the plan that the model has (biases, a head of its own)
  std::int64_t n_steps = 0;                   // of the whole run
  std::int64_t step = 0;                      // done so far
  std::uint64_t data = 0;                     // Dataset::fingerprint()
  double least_loss = kNoLossYet;             // since rounding began, or came to its full depth
  // Other kernels add in another order: a run that goes on with them is as good, but not the same bits.
  std::string blas_kernels;
  std::string isa;
};

/// As one JSON object of strings and numbers; both ways without loss. Errors of reading: bad_input, naming `what`.
[[nodiscard]] std::string run_state_json(const RunState& state);
[[nodiscard]] Result<RunState> parse_run_state(std::string_view json, std::string_view what);

}  // namespace tern::train
