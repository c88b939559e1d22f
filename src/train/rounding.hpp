// Rounding of activations in training: per token, by the largest magnitude, as the engine rounds them.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/kernels.hpp"

namespace tern::train {

/// codes = clamp(round(x * s)) with s = 127 / max |x| (8 bits: -128 to 127) or 7 / max |x| (4 bits: -8 to 7), ties to
/// even, max |x| at least 1e-5. `bytes` and `codes` [x.size()]; the codes come as integers and as floats. Returns s.
[[nodiscard]] float round_token(const kernels::Kernels& kernels, int bits, std::span<const float> x, std::int8_t* bytes,
                                float* codes);

}  // namespace tern::train
