// The list of what this folder provides; the rest comes from the set below it.
#include "kernels/avxvnni/set.hpp"

#if defined(__x86_64__)

#include "kernels/avxvnni/functions.hpp"

namespace tern::kernels::avxvnni {
namespace {

constexpr KernelSet kSet{
    .name = "avxvnni",
    .matmuls = nullptr,
    .n_matmuls = 0,
    .ternary = ternary,
    .ternary_peak = "vnni_avx",
    .binary = nullptr,
    .binary_tables = nullptr,
    .binary_peak = nullptr,
    .binary_products = 0,
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

const KernelSet* avxvnni_set() {
  return &kSet;
}

}  // namespace tern::kernels::avxvnni

#endif
