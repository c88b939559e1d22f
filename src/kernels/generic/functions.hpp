// The functions of the generic ("scalar") set: plain C++ for every machine, written to be read. They are what the other
// sets are proved against, so sums of floats run in double precision here.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tern::kernels::generic {

void ternary(const TernaryArgs& args);
void ternary_panel(const TernaryPanelArgs& args);
void ternary_taken(const TernaryTakenArgs& args);
void binary(const BinaryArgs& args);
void binary_tables(const std::int8_t* codes, std::int64_t k_padded, std::uint8_t* tables);
void attend(const AttendArgs& args);

void store_f16(const float* x, std::int64_t n, void* row);
void store_f32(const float* x, std::int64_t n, void* row);
void store_q8_0(const float* x, std::int64_t n, void* row);
void store_q4_0(const float* x, std::int64_t n, void* row);
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

}  // namespace tern::kernels::generic
