// The set that every machine runs, and the end of every chain: complete but for matmuls, which matmul_generic serves.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::generic {

const KernelSet* scalar_set();

}  // namespace tern::kernels::generic
