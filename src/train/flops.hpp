// How many floating-point operations a training step's matrix products take: what a share of the processor's peak is
// counted from. Elementwise work is not counted.
#pragma once

#include <cstdint>

#include "models/plan.hpp"

namespace tern::train {

/// Operations (two a multiply-add) for one token, forward and backward, in sequences of `n_tokens`: each matrix three
/// times (output, gradient of the input, gradient of the matrix), scores and values of attention over the keys that a
/// query may see, on average (computed once forward and, with the scores computed again, five times back).
[[nodiscard]] double flops_of_training(const models::Plan& plan, std::int64_t n_tokens);

}  // namespace tern::train
