#include "train/quantizers/weight_quantizer.hpp"

#include <algorithm>
#include <cmath>

#include "base/half.hpp"
#include "formats/all.hpp"

namespace tern::train {

const formats::Format* smallest_ternary_format(std::int64_t group, std::int64_t row_length) {
  if (group == 0 && formats::kI2_S.fits_row(row_length)) return &formats::kI2_S;
  const bool in_blocks = group % formats::kQ2_0.block_values == 0;
  return in_blocks && formats::kQ2_0.fits_row(row_length) ? &formats::kQ2_0 : &formats::kF16;
}

float round_scale(float scale) {
  constexpr float kLeast = 0x1p-24F;  // the smallest fp16 number
  constexpr float kMost = 65504.0F;
  return fp16_to_fp32(fp32_to_fp16(std::clamp(scale, kLeast, kMost)));
}

float mean_magnitude(std::span<const float> weights) {
  double sum = 0.0;
  for (const float w : weights) sum += std::fabs(static_cast<double>(w));
  return std::max(static_cast<float>(sum / static_cast<double>(weights.size())), 1e-5F);
}

void round_to_codes(std::span<const float> weights, float scale, int lowest, int highest, float* codes) {
  constexpr float kToInteger = 12582912.0F;  // 1.5 * 2^23: adding it leaves no room for a fraction, ties go to even
  const auto low = static_cast<float>(lowest);
  const auto high = static_cast<float>(highest);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float clamped = std::min(std::max(weights[i] / scale, low), high);
    codes[i] = (clamped + kToInteger) - kToInteger;
  }
}

}  // namespace tern::train
