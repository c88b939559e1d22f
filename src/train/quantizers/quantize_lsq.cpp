// Learned step size (LSQ, arXiv 1902.08153) at 4 and 8 bits: codes = round(w / step), clamped to the two's-complement
// range; the step is trained with the weights and starts at 2 mean |w| / sqrt(highest code).
#include <cmath>

#include "formats/all.hpp"
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

template <int kHighest>
float first_step(std::span<const float> weights) {
  return 2.0F * mean_magnitude(weights) / std::sqrt(static_cast<float>(kHighest));
}

template <int kHighest>
void encode(std::span<const float> weights, float scale, float* codes) {
  round_to_codes(weights, scale, -kHighest - 1, kHighest, codes);
}

// A code of several bits times an fp16 scale is no fp16 number.
const formats::Format* smallest_format(std::int64_t /*group*/, std::int64_t /*row_length*/) {
  return &formats::kF32;
}

}  // namespace

const WeightQuantizer kLsq4{
    .name = "lsq4",
    .lowest = -8,
    .highest = 7,
    .learned_scale = true,
    .scale_of = &first_step<7>,
    .smallest_format = &smallest_format,
    .encode = &encode<7>,
};

const WeightQuantizer kLsq8{
    .name = "lsq8",
    .lowest = -128,
    .highest = 127,
    .learned_scale = true,
    .scale_of = &first_step<127>,
    .smallest_format = &smallest_format,
    .encode = &encode<127>,
};

}  // namespace tern::train
