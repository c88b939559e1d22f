// The functions of this folder that avx2/set.cpp gathers into the set. Declarations only: each is an ordinary function
// defined once, and nothing outside this folder may call one.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {

void ternary(const TernaryArgs& args);
void ternary_tables(const TernaryTablesArgs& args);
void ternary_panel(const TernaryPanelArgs& args);
void ternary_taken(const TernaryTakenArgs& args);
/// From so many columns on, and for what is left of them as long as it is no less, by tables of sums (binary_sums.hpp).
inline constexpr std::int64_t kBinarySumsFrom = 24;
void binary(const BinaryArgs& args);
void binary_tables(const std::int8_t* codes, std::int64_t k_padded, std::uint8_t* tables);

void matmul_f32(const MatmulArgs& args);
void matmul_f16(const MatmulArgs& args);
void matmul_bf16(const MatmulArgs& args);

void matmul_q8_0(const MatmulArgs& args);
void matmul_q4_0(const MatmulArgs& args);
void matmul_q4_1(const MatmulArgs& args);
void matmul_q5_0(const MatmulArgs& args);
void matmul_q5_1(const MatmulArgs& args);
void matmul_q1_0(const MatmulArgs& args);
void matmul_q2_0(const MatmulArgs& args);

void matmul_q6_k(const MatmulArgs& args);
void matmul_q5_k(const MatmulArgs& args);
void matmul_q4_k(const MatmulArgs& args);
void matmul_q3_k(const MatmulArgs& args);
void matmul_q2_k(const MatmulArgs& args);
void matmul_tq2_0(const MatmulArgs& args);
void matmul_tq1_0(const MatmulArgs& args);

void attend(const AttendArgs& args);

void store_f16(const float* x, std::int64_t n, void* row);
void store_f32(const float* x, std::int64_t n, void* row);
void store_q8_0(const float* x, std::int64_t n, void* row);
void load_f16(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
              float* out);
void load_f32(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
              float* out);
void load_q8_0(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
               float* out);
void load_q4_0(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
               float* out);

float quantize_token(const float* x, std::int64_t n, std::int8_t* q, std::int32_t* sum);
void quantize_q8_0(const float* x, std::int64_t n, void* blocks);
void quantize_q8_k(const float* x, std::int64_t n, void* blocks);

void rms_norm(const float* x, const float* weight, std::int64_t n, float eps, float* y);
void silu_glu(const float* gate, const float* up, std::int64_t n, float* y);
void relu2_glu(const float* gate, const float* up, std::int64_t n, float* y);
void gelu_glu(const float* gate, const float* up, std::int64_t n, float* y);

}  // namespace tern::kernels::avx2
