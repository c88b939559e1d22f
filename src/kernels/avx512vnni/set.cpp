// The list of what this folder provides; the rest comes from the set below it.
#include "kernels/avx512vnni/set.hpp"

#if defined(__x86_64__)

#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::avx512vnni {
namespace {

constexpr KernelSet kSet{
    .name = "avx512vnni",
    .matmuls = nullptr,
    .n_matmuls = 0,
    .ternary = ternary,
    .ternary_peak = "vnni_avx512",
    .binary = nullptr,
    .binary_tables = nullptr,
    .binary_peak = nullptr,
    .caches = nullptr,
    .n_caches = 0,
    .attend = nullptr,
    .quantize_token = nullptr,
    .quantize_q8_0 = nullptr,
    .quantize_q8_k = nullptr,
    .rms_norm = nullptr,
    .silu_glu = nullptr,
    .relu2_glu = nullptr,
    .gelu_glu = nullptr,
};

}  // namespace

const KernelSet* avx512vnni_set() {
  return &kSet;
}

}  // namespace tern::kernels::avx512vnni

#endif
