// Per-token codes: one token's activations as integers of 8 bits (or 4) with one float32 scale, as BitNet b1.58 models
// are trained. With 4 bits, 7 stands for 127 and -8 for -128 in what follows. Not a file format and not a weight
// format: a property of the model, made while it runs.
//
//   s = 127 * (1 / max(max|x|, 1e-5));   code = clamp(x * s rounded to nearest, ties to even, -128, 127);   value =
//   code / s
//
// The reciprocal is rounded to float first: that is what PyTorch makes of `127 / tensor`, and so what the models were
// trained with. Zero activations have codes 0 and s = 1.27e7. A NaN makes s NaN and an infinity makes s 0, so that
// whatever is computed with the scale is NaN or infinite and not a plausible wrong number; the codes are then defined
// but meaningless. Rejected: s = 127 / max rounded once, as BitNet's C++ has it (the last bit of s differs in a quarter
// of the tokens, one code in millions); floor(x + 0.5), which one of the training libraries uses and which differs from
// the graph of the others. Source: transformers' bitnet integration, ActQuant.
#pragma once

#include <cstdint>

namespace tern::formats {

struct TokenCodes {
  float s;           // codes are x * s: divide by it to get back
  std::int32_t sum;  // of the codes
};

/// Encodes values[n] into codes[n], n < 2^24.
TokenCodes encode_int8_token(const float* values, std::int64_t n, std::int8_t* codes);
TokenCodes encode_int4_token(const float* values, std::int64_t n, std::int8_t* codes);

}  // namespace tern::formats
