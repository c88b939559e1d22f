#include "train/rounding.hpp"

#include <algorithm>
#include <cmath>

#include "train/loops.hpp"

namespace tern::train {
namespace {

// A NaN anywhere makes the scale NaN, and so everything computed from it: nothing plausible comes of it.
float round_token_4(std::span<const float> x, float* codes) {
  constexpr float kToInteger = 12582912.0F;  // 1.5 * 2^23: adding it leaves no room for a fraction, ties go to even
  float largest = 1e-5F;
  for (const float value : x) largest = std::fabs(value) <= largest ? largest : std::fabs(value);
  const float s = 7.0F * (1.0F / largest);
  for (std::size_t i = 0; i < x.size(); ++i) {
    codes[i] = (std::min(std::max(x[i] * s, -8.0F), 7.0F) + kToInteger) - kToInteger;
  }
  return s;
}

}  // namespace

float round_token(const kernels::Kernels& kernels, int bits, std::span<const float> x, std::int8_t* bytes,
                  float* codes) {
  if (bits == 4) return round_token_4(x, codes);
  std::int32_t sum = 0;
  const float s = kernels.table.quantize_token(x.data(), std::ssize(x), bytes, &sum);
  loops::to_floats(bytes, std::ssize(x), codes);
  return s;
}

}  // namespace tern::train
