// The list of what this folder provides. A pair of weight and activation that is not here runs the generic path.
#include "kernels/avx2/set.hpp"

#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"

namespace tern::kernels::avx2 {
namespace {

// Q8_0 widens every sum of two products; the others add up two and more in 16 bits first.
constexpr MatmulSlot kMatmuls[] = {
    {"F32", Activation::f32, matmul_f32, "fma_avx2"},       {"F16", Activation::f32, matmul_f16, "fma_avx2"},
    {"BF16", Activation::f32, matmul_bf16, "fma_avx2"},     {"Q8_0", Activation::q8_0, matmul_q8_0, "maddubs32"},
    {"Q4_0", Activation::q8_0, matmul_q4_0, "maddubs16"},   {"Q4_1", Activation::q8_0, matmul_q4_1, "maddubs16"},
    {"Q5_0", Activation::q8_0, matmul_q5_0, "maddubs16"},   {"Q5_1", Activation::q8_0, matmul_q5_1, "maddubs16"},
    {"Q1_0", Activation::q8_0, matmul_q1_0, "maddubs16"},   {"Q2_0", Activation::q8_0, matmul_q2_0, "maddubs16"},
    {"Q6_K", Activation::q8_k, matmul_q6_k, "maddubs16"},   {"Q5_K", Activation::q8_k, matmul_q5_k, "maddubs16"},
    {"Q4_K", Activation::q8_k, matmul_q4_k, "maddubs16"},   {"Q3_K", Activation::q8_k, matmul_q3_k, "maddubs16"},
    {"Q2_K", Activation::q8_k, matmul_q2_k, "maddubs16"},   {"TQ2_0", Activation::q8_k, matmul_tq2_0, "maddubs16"},
    {"TQ1_0", Activation::q8_k, matmul_tq1_0, "maddubs16"},
};

constexpr CacheSlot kCaches[] = {
    {"F16", store_f16, load_f16, true},
    {"F32", store_f32, load_f32, false},
    {"Q8_0", store_q8_0, load_q8_0, false},
    {"Q4_0", nullptr, load_q4_0, false},
};

constexpr KernelSet kSet{
    .name = "avx2",
    .matmuls = kMatmuls,
    .n_matmuls = sizeof kMatmuls / sizeof kMatmuls[0],
    .ternary = ternary,
    .ternary_peak = "maddubs16",
    .ternary_tables = ternary_tables,
    .ternary_sums = {.from = 24, .peak = "add16_l1", .products = 4},
    .ternary_panel = ternary_panel,
    .ternary_panel_peak = "maddubs16",
    .ternary_taken = ternary_taken,
    .ternary_taken_below = 0.5,
    .binary = binary,
    .binary_tables = binary_tables,
    .binary_peak = "lookup8",
    .binary_products = 2,
    .binary_sums = {.from = kBinarySumsFrom, .peak = "add16_l1", .products = 5},
    .caches = kCaches,
    .n_caches = sizeof kCaches / sizeof kCaches[0],
    .attend = attend,
    .quantize_token = quantize_token,
    .quantize_q8_0 = quantize_q8_0,
    .quantize_q8_k = quantize_q8_k,
    .rms_norm = rms_norm,
    .silu_glu = silu_glu,
    .relu2_glu = relu2_glu,
    .gelu_glu = gelu_glu,
};

}  // namespace

const KernelSet* avx2_set() {
  return &kSet;
}

}  // namespace tern::kernels::avx2

#endif
