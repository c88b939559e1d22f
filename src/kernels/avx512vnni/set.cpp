// The list of what this folder provides; the rest comes from the set below it.
#include "kernels/avx512vnni/set.hpp"

#if defined(__x86_64__)

#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::avx512vnni {
namespace {

constexpr MatmulSlot kMatmuls[] = {
    {"Q8_0", Activation::q8_0, matmul_q8_0, "vnni_avx512"}, {"Q4_0", Activation::q8_0, matmul_q4_0, "vnni_avx512"},
    {"Q4_1", Activation::q8_0, matmul_q4_1, "vnni_avx512"}, {"Q5_0", Activation::q8_0, matmul_q5_0, "vnni_avx512"},
    {"Q5_1", Activation::q8_0, matmul_q5_1, "vnni_avx512"}, {"Q6_K", Activation::q8_k, matmul_q6_k, "vnni_avx512"},
    {"Q5_K", Activation::q8_k, matmul_q5_k, "vnni_avx512"}, {"Q4_K", Activation::q8_k, matmul_q4_k, "vnni_avx512"},
    {"Q3_K", Activation::q8_k, matmul_q3_k, "vnni_avx512"}, {"Q2_K", Activation::q8_k, matmul_q2_k, "vnni_avx512"},
};

constexpr KernelSet kSet{
    .name = "avx512vnni",
    .matmuls = kMatmuls,
    .n_matmuls = sizeof kMatmuls / sizeof kMatmuls[0],
    .ternary = ternary,
    .ternary_peak = "vnni_avx512",
    .ternary_sums = {.from = kNever},
    .ternary_panel = ternary_panel,
    .ternary_panel_peak = "vnni_avx512",
    .ternary_taken = ternary_taken,
    .ternary_taken_below = 0.4,
    .binary = binary,
    .binary_peak = "vnni_avx512",
    .binary_products = 1,
    .attend = attend,
};

}  // namespace

const KernelSet* avx512vnni_set() {
  return &kSet;
}

}  // namespace tern::kernels::avx512vnni

#endif
