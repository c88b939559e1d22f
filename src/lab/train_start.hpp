// Where a training run may start: a GGUF file, a Hugging Face folder, safetensors, PyTorch or llama2.c checkpoint, or
// an earlier run of tern train.
#pragma once

#include <string>

#include "base/progress.hpp"
#include "train/run/run.hpp"

namespace tern::lab {

/// Errors: those of opening it; unsupported for models that end in pooling.
[[nodiscard]] Result<train::StartingModel> starting_model(const std::string& path, Progress& progress);

}  // namespace tern::lab
