// The list of what this folder provides; the rest comes from the set below it.
#include "kernels/avxvnni/set.hpp"

#if defined(__x86_64__)

#include "kernels/avxvnni/functions.hpp"

namespace tern::kernels::avxvnni {
namespace {

constexpr MatmulSlot kMatmuls[] = {
    {"Q8_0", Activation::q8_0, matmul_q8_0, "vnni_avx"}, {"Q4_0", Activation::q8_0, matmul_q4_0, "vnni_avx"},
    {"Q4_1", Activation::q8_0, matmul_q4_1, "vnni_avx"}, {"Q5_0", Activation::q8_0, matmul_q5_0, "vnni_avx"},
    {"Q5_1", Activation::q8_0, matmul_q5_1, "vnni_avx"},
};

constexpr KernelSet kSet{
    .name = "avxvnni",
    .matmuls = kMatmuls,
    .n_matmuls = sizeof kMatmuls / sizeof kMatmuls[0],
    .ternary = ternary,
    .ternary_peak = "vnni_avx",
};

}  // namespace

const KernelSet* avxvnni_set() {
  return &kSet;
}

}  // namespace tern::kernels::avxvnni

#endif
