// The functions of this folder that set.cpp gathers. Declarations only, as in avx2/functions.hpp.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx512vnni {

void ternary(const TernaryArgs& args);
void ternary_panel(const TernaryPanelArgs& args);
void ternary_taken(const TernaryTakenArgs& args);
void binary(const BinaryArgs& args);
void attend(const AttendArgs& args);

void matmul_q8_0(const MatmulArgs& args);
void matmul_q4_0(const MatmulArgs& args);
void matmul_q4_1(const MatmulArgs& args);
void matmul_q5_0(const MatmulArgs& args);
void matmul_q5_1(const MatmulArgs& args);

void matmul_q6_k(const MatmulArgs& args);
void matmul_q5_k(const MatmulArgs& args);
void matmul_q4_k(const MatmulArgs& args);
void matmul_q3_k(const MatmulArgs& args);
void matmul_q2_k(const MatmulArgs& args);

}  // namespace tern::kernels::avx512vnni
