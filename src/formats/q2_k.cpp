#include "formats/q2_k.hpp"

#include <cmath>

#include "formats/k_quants.hpp"

namespace tern::formats {
namespace {

using k_quants::kBlockValues;

constexpr int kSubBlocks = 16;
constexpr int kValues = 16;
constexpr float kScaleSteps = 15.0F;
constexpr k_quants::AffineGrid kGrid{.levels = 3, .first = -0.5F, .step = 0.1F, .n_steps = 15};

bool encode_block(const float* x, BlockQ2_K& block) {
  float weight[kBlockValues];
  for (int i = 0; i < kBlockValues; ++i) weight[i] = std::fabs(x[i]);
  k_quants::AffineFit fits[kSubBlocks];
  for (int j = 0; j < kSubBlocks; j += 4) {
    const int first = j * kValues;
    k_quants::fit_affine<kValues, k_quants::Penalty::absolute>(x + first, weight + first, kGrid, fits + j);
  }

  float max_scale = 0.0F;
  float max_min = 0.0F;
  for (const auto& fit : fits) {
    if (!codec::is_finite(fit.scale) || !codec::is_finite(fit.min)) return false;
    max_scale = fit.scale > max_scale ? fit.scale : max_scale;
    max_min = fit.min > max_min ? fit.min : max_min;
  }
  block.d = fp32_to_fp16(max_scale / kScaleSteps);
  block.dmin = fp32_to_fp16(max_min / kScaleSteps);
  if (!codec::is_finite_fp16(block.d) || !codec::is_finite_fp16(block.dmin)) return false;

  const float inverse_scale = max_scale > 0.0F ? kScaleSteps / max_scale : 0.0F;
  const float inverse_min = max_min > 0.0F ? kScaleSteps / max_min : 0.0F;
  std::uint8_t codes[kBlockValues];
  for (int j = 0; j < kSubBlocks; ++j) {
    const int scale = codec::round_half_even(inverse_scale * fits[j].scale);
    const int min = codec::round_half_even(inverse_min * fits[j].min);
    const auto packed = static_cast<std::uint8_t>(scale | (min << 4));
    block.scales[static_cast<std::size_t>(j)] = packed;
    const float stored_scale = fp16_to_fp32(block.d) * static_cast<float>(packed & 15);
    const float stored_min = fp16_to_fp32(block.dmin) * static_cast<float>(packed >> 4);
    const int first = j * kValues;
    k_quants::round_affine(x + first, kValues, stored_scale, stored_min, fits[j], kGrid.levels, codes + first);
  }
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint8_t* c = codes + 128 * half;
    for (std::size_t l = 0; l < 32; ++l) {
      block.codes[32 * half + l] =
          static_cast<std::uint8_t>(c[l] | (c[l + 32] << 2) | (c[l + 64] << 4) | (c[l + 96] << 6));
    }
  }
  return true;
}

void decode_block(const BlockQ2_K& block, float* x) {
  const float d = fp16_to_fp32(block.d);
  const float dmin = fp16_to_fp32(block.dmin);
  for (std::size_t j = 0; j < kSubBlocks; ++j) {
    const float scale = d * static_cast<float>(block.scales[j] & 15);
    const float min = dmin * static_cast<float>(block.scales[j] >> 4);
    // Sub-block j is half j / 8, bit pair (j / 2) % 4, left or right 16 bytes by j % 2.
    const std::uint8_t* bytes = block.codes.data() + 32 * (j / 8) + 16 * (j % 2);
    const auto shift = 2 * (j / 2 % 4);
    for (std::size_t i = 0; i < kValues; ++i) {
      x[j * kValues + i] = scale * static_cast<float>((bytes[i] >> shift) & 3) - min;
    }
  }
}

}  // namespace

EncodeIssue encode_row_q2_k(const float* values, std::int64_t n, float /*tensor_scale*/, std::byte* blocks) {
  return codec::encode_blocks<BlockQ2_K, k_quants::kBlockValues>(values, n, blocks, encode_block);
}

void decode_row_q2_k(const std::byte* blocks, std::int64_t n, float /*tensor_scale*/, float* values) {
  codec::decode_blocks<BlockQ2_K, k_quants::kBlockValues>(blocks, n, values, decode_block);
}

bool valid_row_q2_k(const std::byte* blocks, std::int64_t n) {
  return k_quants::valid_row<BlockQ2_K>(blocks, n);
}

}  // namespace tern::formats
