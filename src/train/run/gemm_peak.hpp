// What the machine's float matrix products reach at present on the very shapes of a training step: the measure of how
// much of the time goes elsewhere.
#pragma once

#include "linalg/blas.hpp"
#include "models/plan.hpp"
#include "sys/thread_pool.hpp"
#include "train/network.hpp"

namespace tern::train {

/// Operations a second over all of the pool's threads, when each thread does the three products of the linear steps and
/// of the head (output, gradient of the input, gradient of the matrix) in the sizes of `size`, each shape of matrix
/// once, and nothing else.
/// Runs for about `seconds`.
[[nodiscard]] double measure_gemm_peak(const models::Plan& plan, Network::Size size, const linalg::Blas& blas,
                                       sys::ThreadPool& pool, double seconds);

}  // namespace tern::train
