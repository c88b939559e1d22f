#include "formats/q5_k.hpp"

#include "formats/k_quants.hpp"

namespace tern::formats {
namespace {

constexpr k_quants::AffineGrid kGrid{.levels = 31, .first = -0.5F, .step = 0.1F, .n_steps = 15};

bool encode_block(const float* x, BlockQ5_K& block) {
  std::uint8_t codes[k_quants::kBlockValues];
  if (!k_quants::encode_affine_block(x, kGrid, block.d, block.dmin, block.scales.data(), codes)) return false;
  for (std::size_t plane = 0; plane < 8; ++plane) {
    for (std::size_t l = 0; l < 32; ++l) {
      block.high[l] = static_cast<std::uint8_t>(block.high[l] | ((codes[32 * plane + l] >> 4) << plane));
    }
  }
  for (std::size_t chunk = 0; chunk < 4; ++chunk) {
    const std::uint8_t* c = codes + 64 * chunk;
    for (std::size_t l = 0; l < 32; ++l) {
      block.low[32 * chunk + l] = static_cast<std::uint8_t>((c[l] & 15) | ((c[l + 32] & 15) << 4));
    }
  }
  return true;
}

void decode_block(const BlockQ5_K& block, float* x) {
  const float d = fp16_to_fp32(block.d);
  const float dmin = fp16_to_fp32(block.dmin);
  for (int j = 0; j < 8; ++j) {
    const auto pair = k_quants::unpack_scale(block.scales.data(), j);
    const float scale = d * static_cast<float>(pair.scale);
    const float min = dmin * static_cast<float>(pair.min);
    const std::uint8_t* low = block.low.data() + 32 * (j / 2);
    const int shift = 4 * (j % 2);
    for (int i = 0; i < 32; ++i) {
      const int code = ((low[i] >> shift) & 15) | (((block.high[static_cast<std::size_t>(i)] >> j) & 1) << 4);
      x[32 * j + i] = scale * static_cast<float>(code) - min;
    }
  }
}

}  // namespace

EncodeIssue encode_row_q5_k(const float* values, std::int64_t n, float /*tensor_scale*/, std::byte* blocks) {
  return codec::encode_blocks<BlockQ5_K, k_quants::kBlockValues>(values, n, blocks, encode_block);
}

void decode_row_q5_k(const std::byte* blocks, std::int64_t n, float /*tensor_scale*/, float* values) {
  codec::decode_blocks<BlockQ5_K, k_quants::kBlockValues>(blocks, n, values, decode_block);
}

bool valid_row_q5_k(const std::byte* blocks, std::int64_t n) {
  return k_quants::valid_row<BlockQ5_K>(blocks, n);
}

}  // namespace tern::formats
