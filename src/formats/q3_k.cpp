#include "formats/q3_k.hpp"

#include <cmath>

#include "formats/k_quants.hpp"

namespace tern::formats {
namespace {

using k_quants::kBlockValues;

constexpr std::size_t kSubBlocks = 16;
constexpr std::size_t kValues = 16;
constexpr int kLevels = 4;
constexpr int kScaleLevels = 32;

/// The 6-bit scale of sub-block j, as stored (32 means 0).
int stored_scale(const BlockQ3_K& block, std::size_t j) {
  const int low = j < 8 ? block.scales[j] & 15 : block.scales[j - 8] >> 4;
  const int high = (block.scales[8 + j % 4] >> (2 * (j / 4))) & 3;
  return low | (high << 4);
}

void store_scale(BlockQ3_K& block, std::size_t j, int scale) {
  std::uint8_t& low = block.scales[j % 8];
  std::uint8_t& high = block.scales[8 + j % 4];
  low = static_cast<std::uint8_t>(low | ((scale & 15) << (j < 8 ? 0 : 4)));
  high = static_cast<std::uint8_t>(high | ((scale >> 4) << (2 * (j / 4))));
}

bool encode_block(const float* x, BlockQ3_K& block) {
  float scales[kSubBlocks];
  std::uint8_t codes[kBlockValues];
  for (std::size_t j = 0; j < kSubBlocks; j += 4) {
    k_quants::fit_symmetric_by_coordinates(x + j * kValues, kLevels, scales + j, codes + j * kValues);
  }

  float largest = 0.0F;
  float extreme = 0.0F;
  for (const float scale : scales) {
    if (!codec::is_finite(scale)) return false;
    if (std::fabs(scale) > largest) {
      largest = std::fabs(scale);
      extreme = scale;
    }
  }
  // With no scale at all the table stays zero, which reads as scales of -32 under d = 0.
  if (extreme != 0.0F) {
    const float inverse = -static_cast<float>(kScaleLevels) / extreme;
    block.d = fp32_to_fp16(1.0F / inverse);
    if (!codec::is_finite_fp16(block.d)) return false;
    for (std::size_t j = 0; j < kSubBlocks; ++j) {
      const int scale =
          k_quants::clamp_code(codec::round_half_even(inverse * scales[j]), -kScaleLevels, kScaleLevels - 1);
      store_scale(block, j, scale + kScaleLevels);
    }
  }

  const float d = fp16_to_fp32(block.d);
  for (std::size_t j = 0; j < kSubBlocks; ++j) {
    const float scale = d * static_cast<float>(stored_scale(block, j) - kScaleLevels);
    if (scale == 0.0F) continue;  // the search's codes stay
    k_quants::round_symmetric(x + j * kValues, kValues, scale, kLevels, codes + j * kValues);
  }
  for (std::size_t plane = 0; plane < 8; ++plane) {
    for (std::size_t l = 0; l < 32; ++l) {
      block.high[l] = static_cast<std::uint8_t>(block.high[l] | ((codes[32 * plane + l] >> 2) << plane));
    }
  }
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint8_t* c = codes + 128 * half;
    for (std::size_t l = 0; l < 32; ++l) {
      block.low[32 * half + l] = static_cast<std::uint8_t>((c[l] & 3) | ((c[l + 32] & 3) << 2) |
                                                           ((c[l + 64] & 3) << 4) | ((c[l + 96] & 3) << 6));
    }
  }
  return true;
}

void decode_block(const BlockQ3_K& block, float* x) {
  const float d = fp16_to_fp32(block.d);
  for (std::size_t j = 0; j < kSubBlocks; ++j) {
    const float scale = d * static_cast<float>(stored_scale(block, j) - kScaleLevels);
    const std::size_t column = 16 * (j % 2);
    const std::uint8_t* low = block.low.data() + 32 * (j / 8) + column;
    const std::uint8_t* high = block.high.data() + column;
    const auto shift = 2 * (j / 2 % 4);
    const auto plane = j / 2;
    for (std::size_t i = 0; i < kValues; ++i) {
      const int code = ((low[i] >> shift) & 3) | (((high[i] >> plane) & 1) << 2);
      x[j * kValues + i] = scale * static_cast<float>(code - kLevels);
    }
  }
}

}  // namespace

EncodeIssue encode_row_q3_k(const float* values, std::int64_t n, float /*tensor_scale*/, std::byte* blocks) {
  return codec::encode_blocks<BlockQ3_K, k_quants::kBlockValues>(values, n, blocks, encode_block);
}

void decode_row_q3_k(const std::byte* blocks, std::int64_t n, float /*tensor_scale*/, float* values) {
  codec::decode_blocks<BlockQ3_K, k_quants::kBlockValues>(blocks, n, values, decode_block);
}

bool valid_row_q3_k(const std::byte* blocks, std::int64_t n) {
  return k_quants::valid_row<BlockQ3_K>(blocks, n);
}

}  // namespace tern::formats
