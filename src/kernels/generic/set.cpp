#include "kernels/generic/set.hpp"

#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

constexpr KernelSet kSet{
    .name = "scalar",
    .matmuls = nullptr,
    .n_matmuls = 0,
    .ternary = ternary,
    .ternary_peak = nullptr,
    .attend_f16 = attend_f16,
    .attend_f32 = attend_f32,
    .quantize_token = quantize_token,
    .quantize_q8_0 = quantize_q8_0,
    .quantize_q8_k = quantize_q8_k,
    .rms_norm = rms_norm,
    .silu_glu = silu_glu,
    .relu2_glu = relu2_glu,
    .gelu_glu = gelu_glu,
};

}  // namespace

const KernelSet* scalar_set() {
  return &kSet;
}

}  // namespace tern::kernels::generic
