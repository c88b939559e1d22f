// What AVX-512 with VNNI adds to the AVX2 set. Declaration only: included by the chooser.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx512vnni {

const KernelSet* avx512vnni_set();

}  // namespace tern::kernels::avx512vnni
