// The median variant of b1.58 (arXiv 2407.09527): codes -1, 0, +1 = round(w / median |w|), clamped. The median of an
// even number of values is the lower of the two in the middle.
#include <algorithm>
#include <cmath>
#include <vector>

#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

float median_magnitude(std::span<const float> weights) {
  std::vector<float> magnitudes(weights.size());
  std::ranges::transform(weights, magnitudes.begin(), [](float w) { return std::fabs(w); });
  const auto middle = magnitudes.begin() + (std::ssize(magnitudes) - 1) / 2;
  std::ranges::nth_element(magnitudes, middle);
  return std::max(*middle, 1e-5F);
}

void encode(std::span<const float> weights, float scale, float* codes) {
  round_to_codes(weights, scale, -1, 1, codes);
}

}  // namespace

const WeightQuantizer kAbsmedian{
    .name = "absmedian",
    .lowest = -1,
    .highest = 1,
    .scale_of = &median_magnitude,
    .smallest_format = &smallest_ternary_format,
    .encode = &encode,
};

}  // namespace tern::train
