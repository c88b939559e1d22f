#include "formats/q8_k.hpp"

#include <algorithm>

#include "formats/block_codec.hpp"

namespace tern::formats {
namespace {

bool encode_block(const float* values, BlockQ8_K& block) {
  const float extreme = codec::signed_extreme(values, BlockQ8_K::kValues);
  if (extreme == 0.0F) return true;
  const float inverse = -127.0F / extreme;
  if (!codec::is_finite(inverse)) return true;
  for (int i = 0; i < BlockQ8_K::kValues; ++i) {
    block.q[i] = static_cast<std::int8_t>(std::min(127, codec::round_half_even(inverse * values[i])));
  }
  for (int j = 0; j < BlockQ8_K::kValues / 16; ++j) {
    int sum = 0;
    for (int i = 0; i < 16; ++i) sum += block.q[16 * j + i];
    block.sums[j] = static_cast<std::int16_t>(sum);
  }
  block.d = 1.0F / inverse;
  return true;
}

void decode_block(const BlockQ8_K& block, float* values) {
  for (int i = 0; i < BlockQ8_K::kValues; ++i) values[i] = block.d * static_cast<float>(block.q[i]);
}

}  // namespace

EncodeIssue encode_row_q8_k(const float* values, std::int64_t n, std::byte* blocks) {
  return codec::encode_blocks<BlockQ8_K, BlockQ8_K::kValues>(values, n, blocks, encode_block);
}

void decode_row_q8_k(const std::byte* blocks, std::int64_t n, float* values) {
  codec::decode_blocks<BlockQ8_K, BlockQ8_K::kValues>(blocks, n, values, decode_block);
}

}  // namespace tern::formats
