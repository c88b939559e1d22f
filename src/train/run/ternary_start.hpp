// Training that goes on from a ternary checkpoint which kept no masters (an I2_S file, packed safetensors). Values that
// are codes times a scale are no masters of absmean: their mean magnitude is the scale times the share of codes that
// are not zero, so the first step would begin with a smaller scale than the model has. Raised by the inverse of that
// share, they round to the very codes and the scale they came from.
#pragma once

#include "train/parameters.hpp"
#include "train/weights.hpp"

namespace tern::train {

/// Raises every matrix (or group) whose values are all -s, 0 and s, if the quantiser takes the mean magnitude; returns
/// how many. Others stay as they are.
std::int64_t raise_ternary_values(Parameters& parameters, const QuantizerOptions& options);

}  // namespace tern::train
