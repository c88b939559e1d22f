// The AVX2 + FMA + F16C set.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {

/// The set; a constant. Call its functions only on a processor that has AVX2, FMA and F16C.
const KernelSet* avx2_set();

}  // namespace tern::kernels::avx2
