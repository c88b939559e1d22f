#include "formats/token_codes.hpp"

#include <cmath>
#include <limits>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

TokenCodes encode(const float* values, std::int64_t n, float most, std::int8_t* codes) {
  float largest = 0.0F;
  bool has_nan = false;
  for (std::int64_t i = 0; i < n; ++i) {
    has_nan |= values[i] != values[i];
    const float magnitude = std::fabs(values[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  const float s =
      has_nan ? std::numeric_limits<float>::quiet_NaN() : most * (1.0F / (largest > 1e-5F ? largest : 1e-5F));
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    // Clamping before rounding gives the same codes and keeps NaN and large values away from the conversion.
    float scaled = values[i] * s;
    scaled = scaled < most ? scaled : most;
    scaled = scaled > -most - 1.0F ? scaled : -most - 1.0F;
    const int code = codec::round_half_even(scaled);
    codes[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  return {s, sum};
}

}  // namespace

TokenCodes encode_int8_token(const float* values, std::int64_t n, std::int8_t* codes) {
  return encode(values, n, 127.0F, codes);
}

TokenCodes encode_int4_token(const float* values, std::int64_t n, std::int8_t* codes) {
  return encode(values, n, 7.0F, codes);
}

}  // namespace tern::formats
