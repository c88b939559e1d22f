// Rounding of activations: the encoders of room formats. Those refuse NaN, infinity and scales beyond fp16; here such a
// block becomes zero codes with a scale of NaN, so that everything computed from it is NaN and not a plausible number.
#include <cstddef>
#include <cstring>
#include <limits>

#include "formats/q8_0.hpp"
#include "formats/q8_k.hpp"
#include "formats/token_codes.hpp"
#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

/// Encodes block by block; `spoil` makes a block of zero bytes one whose scale is NaN.
template <class Block, class Encode, class Spoil>
void encode_each(const float* x, std::int64_t n, void* blocks, Encode encode, Spoil spoil) {
  auto* out = static_cast<std::byte*>(blocks);
  for (std::int64_t i = 0; i + Block::kValues <= n; i += Block::kValues, out += sizeof(Block)) {
    if (!encode(x + i, out)) continue;
    Block block{};
    spoil(block);
    std::memcpy(out, &block, sizeof block);
  }
}

}  // namespace

float quantize_token(const float* x, std::int64_t n, std::int8_t* q, std::int32_t* sum) {
  const formats::TokenCodes token = formats::encode_int8_token(x, n, q);
  *sum = token.sum;
  return token.s;
}

void quantize_q8_0(const float* x, std::int64_t n, void* blocks) {
  using formats::BlockQ8_0;
  encode_each<BlockQ8_0>(
      x, n, blocks,
      [](const float* v, std::byte* out) {
        return static_cast<bool>(formats::encode_row_q8_0(v, BlockQ8_0::kValues, 1.0F, out));
      },
      [](BlockQ8_0& block) { block.d = 0x7e00; });
}

void quantize_q8_k(const float* x, std::int64_t n, void* blocks) {
  using formats::BlockQ8_K;
  encode_each<BlockQ8_K>(
      x, n, blocks,
      [](const float* v, std::byte* out) {
        return static_cast<bool>(formats::encode_row_q8_k(v, BlockQ8_K::kValues, out));
      },
      [](BlockQ8_K& block) { block.d = std::numeric_limits<float>::quiet_NaN(); });
}

}  // namespace tern::kernels::generic
