// What the machine's float matrix products reach at present on the very shapes of a training step: the measure of how
// much of the time goes elsewhere.
#pragma once

#include "linalg/blas.hpp"
#include "models/plan.hpp"
#include "sys/thread_pool.hpp"
#include "train/network.hpp"

namespace tern::train {

/// Operations a second over all of the pool's threads, when they do the three products of every linear step and of the
/// head (output, gradient of the input, gradient of the matrix), cut as a step of `size` cuts them and as often, each
/// at the best speed that was seen of it, and nothing else. Runs for about `seconds`.
[[nodiscard]] double measure_gemm_peak(const models::Plan& plan, Network::Size size, const linalg::Blas& blas,
                                       sys::ThreadPool& pool, double seconds);

}  // namespace tern::train
