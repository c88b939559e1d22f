// What a weight quantiser is: a rule that turns a group of float master weights into integer codes and one scale, for
// quantisation-aware training. A record in its own file, listed in quantizers.hpp beside it. The trainer decides what a
// group is (a whole matrix, or 64 or 128 values of a row) and what the gradient does; a rule knows neither.
//
// Every scale is rounded to fp16 before it divides or multiplies anything, so that each weight format that holds the
// granularity holds the trained model exactly.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "formats/format.hpp"

namespace tern::train {

struct WeightQuantizer {
  std::string_view name;  // in recipes: "absmean"
  int lowest = 0;         // of the codes
  int highest = 0;
  /// The scale is a parameter that is trained (LSQ), and `scale_of` only where it starts.
  bool learned_scale = false;
  /// The scale of a group before it is rounded to fp16: a positive number.
  float (*scale_of)(std::span<const float> weights) = nullptr;
  /// mean |w| is what the scale is, so that values made of codes and a scale must be raised to be masters.
  bool scale_is_mean = false;
  /// The smallest weight format that holds rows of `row_length` exactly, with a scale for `group` values (0: one
  /// scale).
  const formats::Format* (*smallest_format)(std::int64_t group, std::int64_t row_length) = nullptr;
  /// codes[i], integers as floats, of weights[i] under the rounded scale.
  void (*encode)(std::span<const float> weights, float scale, float* codes) = nullptr;
};

/// For codes -1, 0 and +1: I2_S, Q2_0 for its groups, else F16 (a code times an fp16 scale is an fp16 number).
[[nodiscard]] const formats::Format* smallest_ternary_format(std::int64_t group, std::int64_t row_length);

/// The nearest fp16 number that is positive and finite.
[[nodiscard]] float round_scale(float scale);

/// mean |w| of a group, at least 1e-5, summed in double in order.
[[nodiscard]] float mean_magnitude(std::span<const float> weights);

/// codes = clamp(round(w / scale), lowest, highest), ties to even.
void round_to_codes(std::span<const float> weights, float scale, int lowest, int highest, float* codes);

}  // namespace tern::train
