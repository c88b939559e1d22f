// BitNet (arXiv 2310.11453, equations 1 to 3): codes sign(w - mean w), where zero counts as negative; scale mean |w| of
// the weights as they are, not centred.
#include "formats/all.hpp"
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

void encode(std::span<const float> weights, float /*scale*/, float* codes) {
  double sum = 0.0;
  for (const float w : weights) sum += static_cast<double>(w);
  const auto mean = static_cast<float>(sum / static_cast<double>(weights.size()));
  for (std::size_t i = 0; i < weights.size(); ++i) codes[i] = weights[i] > mean ? 1.0F : -1.0F;
}

const formats::Format* smallest_format(std::int64_t group, std::int64_t row_length) {
  const bool in_blocks = group % formats::kQ1_0.block_values == 0;
  return in_blocks && formats::kQ1_0.fits_row(row_length) ? &formats::kQ1_0
                                                          : smallest_ternary_format(group, row_length);
}

}  // namespace

const WeightQuantizer kSign{
    .name = "sign",
    .lowest = -1,
    .highest = 1,
    .scale_of = &mean_magnitude,
    .smallest_format = &smallest_format,
    .encode = &encode,
};

}  // namespace tern::train
