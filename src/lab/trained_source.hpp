// A model in training, or a saved run, as the source of a conversion: tensors in GGUF's names and row order, quantised
// matrices as what training computed with (codes times fp16 scale), the others as their masters.
#pragma once

#include <memory>

#include "convert/source.hpp"
#include "train/run/run_state.hpp"
#include "train/trainer.hpp"

namespace tern::lab {

/// The trainer must outlive the source unless it is shared with it through `keep`.
[[nodiscard]] convert::Source trained_source(const train::RunState& state, train::Trainer& trainer,
                                             std::shared_ptr<const void> keep);

/// Whether every quantised matrix is the same, bit for bit, after a round trip through the format (null: each through
/// its natural one). Errors: unsupported,
/// with the formats that can hold the model.
[[nodiscard]] Result<void> check_holds(const formats::Format* format, const convert::Source& source,
                                       train::Trainer& trainer);

}  // namespace tern::lab
