#include "ops/round_token.hpp"

#include "formats/token_codes.hpp"

namespace tern::ops {

float round_token(const kernels::Kernels& kernels, int bits, const float* x, std::int64_t n, std::int8_t* codes,
                  std::int32_t* sum) {
  if (bits == 8) return kernels.table.quantize_token(x, n, codes, sum);
  const formats::TokenCodes token = formats::encode_int4_token(x, n, codes);
  *sum = token.sum;
  return token.s;
}

}  // namespace tern::ops
