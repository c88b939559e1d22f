// The functions of this folder that set.cpp gathers. Declarations only, as in avx2/functions.hpp.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avxvnni {

void ternary(const TernaryArgs& args);

}  // namespace tern::kernels::avxvnni
