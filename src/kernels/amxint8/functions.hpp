// The functions of this folder that set.cpp gathers. Declarations only, as in avx2/functions.hpp.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::amxint8 {

void ternary(const TernaryArgs& args);
void ternary_panel(const TernaryPanelArgs& args);

}  // namespace tern::kernels::amxint8
