// BitNet b1.58 (arXiv 2402.17764): codes -1, 0, +1 = round(w / mean |w|), clamped.
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

void encode(std::span<const float> weights, float scale, float* codes) {
  round_to_codes(weights, scale, -1, 1, codes);
}

}  // namespace

const WeightQuantizer kAbsmean{
    .name = "absmean",
    .lowest = -1,
    .highest = 1,
    .scale_of = &mean_magnitude,
    .scale_is_mean = true,
    .smallest_format = &smallest_ternary_format,
    .encode = &encode,
};

}  // namespace tern::train
