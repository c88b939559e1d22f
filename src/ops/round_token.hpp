// Rounding of one token's activations to codes: by the kernel of this processor, or, for codes of 4 bits, by the
// reference. The engine and the trainer both round here.
#pragma once

#include <cstdint>

#include "kernels/kernels.hpp"

namespace tern::ops {

/// codes[n] of x[n] (formats/token_codes.hpp); `bits` is 8 or 4. Returns the scale s, with codes = x * s rounded; *sum
/// gets the sum of the codes.
float round_token(const kernels::Kernels& kernels, int bits, const float* x, std::int64_t n, std::int8_t* codes,
                  std::int32_t* sum);

}  // namespace tern::ops
