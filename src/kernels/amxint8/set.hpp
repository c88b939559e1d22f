// What AMX adds to the set of AVX-512 with VNNI. Declaration only: included by the chooser.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::amxint8 {

const KernelSet* amxint8_set();

}  // namespace tern::kernels::amxint8
