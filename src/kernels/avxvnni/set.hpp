// What AVX-VNNI adds to the AVX2 set: processors without AVX-512 that have vpdpbusd in 32-byte registers. Declaration
// only: included by the chooser.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avxvnni {

const KernelSet* avxvnni_set();

}  // namespace tern::kernels::avxvnni
