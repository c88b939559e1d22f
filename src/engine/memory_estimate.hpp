// What a model will need to run, from its plan and tensors alone: nothing is packed or allocated to find out.
#pragma once

#include <cstdint>

#include "engine/kv_cache.hpp"
#include "models/model_file.hpp"

namespace tern::engine {

struct MemoryEstimate {
  std::uint64_t weights = 0;  // mapped from the file
  std::uint64_t packed = 0;   // copies of ternary and binary matrices in the kernels' layout
  std::uint64_t kv = 0;       // n_ctx positions of one sequence
  std::uint64_t buffers = 0;  // values between the steps for a batch, and the logits of one token
  [[nodiscard]] std::uint64_t total() const { return weights + packed + kv + buffers; }
};

/// For one sequence of n_ctx positions and batches of n_batch tokens.
[[nodiscard]] MemoryEstimate estimate_memory(const models::ModelFile& model, std::int64_t n_ctx, std::int64_t n_batch,
                                             const CacheFormats& cache);

}  // namespace tern::engine
