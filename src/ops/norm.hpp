// Layer norm (arXiv 1607.06450) for architectures that have it; RMS norm is a kernel (kernels/kernel_set.hpp).
#pragma once

#include <cstdint>

namespace tern::ops {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias; weight, bias [n] may be null. Sums run in order, in double.
void layer_norm(const float* x, const float* weight, const float* bias, std::int64_t n, float eps, float* y);

}  // namespace tern::ops
