#include "kernels/generic/set.hpp"

#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

constexpr CacheSlot kCaches[] = {
    {"F16", store_f16, load_f16, true},
    {"F32", store_f32, load_f32, false},
    {"Q8_0", store_q8_0, load_q8_0, false},
    {"Q4_0", store_q4_0, load_q4_0, false},
};

constexpr KernelSet kSet{
    .name = "scalar",
    .ternary = ternary,
    .ternary_panel = ternary_panel,
    .ternary_taken = ternary_taken,
    .ternary_taken_below = 1.0,
    .binary = binary,
    .binary_tables = binary_tables,
    .binary_products = 1,
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

const KernelSet* scalar_set() {
  return &kSet;
}

}  // namespace tern::kernels::generic
