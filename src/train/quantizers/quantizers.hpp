// The one list of weight quantisers. Adding one is its file and two lines here.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "train/quantizers/weight_quantizer.hpp"

namespace tern::train {

extern const WeightQuantizer kSign;
extern const WeightQuantizer kAbsmean;
extern const WeightQuantizer kAbsmedian;
extern const WeightQuantizer kLsq4;
extern const WeightQuantizer kLsq8;

inline constexpr std::array kWeightQuantizers{&kAbsmean, &kAbsmedian, &kSign, &kLsq4, &kLsq8};

/// By name; "none" is null: float weights. Errors: usage, with the names there are and the nearest.
[[nodiscard]] Result<const WeightQuantizer*> weight_quantizer_by_name(std::string_view name);
/// "none" and every name of the list.
[[nodiscard]] std::vector<std::string_view> weight_quantizer_names();

}  // namespace tern::train
