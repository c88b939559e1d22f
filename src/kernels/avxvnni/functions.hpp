// The functions of this folder that set.cpp gathers. Declarations only, as in avx2/functions.hpp.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avxvnni {

void ternary(const TernaryArgs& args);

void matmul_q8_0(const MatmulArgs& args);
void matmul_q4_0(const MatmulArgs& args);
void matmul_q4_1(const MatmulArgs& args);
void matmul_q5_0(const MatmulArgs& args);
void matmul_q5_1(const MatmulArgs& args);

}  // namespace tern::kernels::avxvnni
