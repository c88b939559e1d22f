#include "formats/q6_k.hpp"

#include <cmath>

#include "formats/k_quants.hpp"

namespace tern::formats {
namespace {

using k_quants::kBlockValues;

constexpr std::size_t kSubBlocks = 16;
constexpr std::size_t kValues = 16;
constexpr int kLevels = 32;

/// The codes the search ended with, for a sub-block whose stored scale is 0: without effect on the decoded values (all
/// zero), but part of the reference's bytes. A sub-block that was never searched keeps zero bytes.
void keep_search_codes(const float* x, const k_quants::SymmetricFit& fit, std::uint8_t* codes) {
  for (std::size_t i = 0; i < kValues; ++i) {
    const int code = k_quants::clamp_code(codec::round_half_even(fit.inverse * x[i]), -kLevels, kLevels - 1) + kLevels;
    codes[i] = fit.inverse == 0.0F ? std::uint8_t{0} : static_cast<std::uint8_t>(code);
  }
}

bool encode_block(const float* x, BlockQ6_K& block) {
  k_quants::SymmetricFit fits[kSubBlocks];
  for (std::size_t j = 0; j < kSubBlocks; j += 4) k_quants::fit_symmetric(x + j * kValues, kLevels, fits + j);

  float largest = 0.0F;
  float extreme = 0.0F;
  for (const auto& fit : fits) {
    if (!codec::is_finite(fit.scale)) return false;
    if (std::fabs(fit.scale) > largest) {
      largest = std::fabs(fit.scale);
      extreme = fit.scale;
    }
  }
  if (largest < k_quants::kTooSmall) return true;  // all zero bytes

  const float inverse = -128.0F / extreme;
  block.d = fp32_to_fp16(1.0F / inverse);
  if (!codec::is_finite_fp16(block.d)) return false;
  const float d = fp16_to_fp32(block.d);
  std::uint8_t codes[kBlockValues];
  for (std::size_t j = 0; j < kSubBlocks; ++j) {
    const int nearest = codec::round_half_even(inverse * fits[j].scale);
    block.scales[j] = static_cast<std::int8_t>(nearest > 127 ? 127 : nearest);
    const float scale = d * static_cast<float>(block.scales[j]);
    const std::size_t first = j * kValues;
    if (scale != 0.0F) {
      k_quants::round_symmetric(x + first, kValues, scale, kLevels, codes + first);
    } else {
      keep_search_codes(x + first, fits[j], codes + first);
    }
  }
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint8_t* c = codes + 128 * half;
    for (std::size_t l = 0; l < 64; ++l) {
      block.low[64 * half + l] = static_cast<std::uint8_t>((c[l] & 15) | ((c[l + 64] & 15) << 4));
    }
    for (std::size_t l = 0; l < 32; ++l) {
      block.high[32 * half + l] = static_cast<std::uint8_t>((c[l] >> 4) | ((c[l + 32] >> 4) << 2) |
                                                            ((c[l + 64] >> 4) << 4) | ((c[l + 96] >> 4) << 6));
    }
  }
  return true;
}

void decode_block(const BlockQ6_K& block, float* x) {
  const float d = fp16_to_fp32(block.d);
  for (std::size_t j = 0; j < kSubBlocks; ++j) {
    const float scale = d * static_cast<float>(block.scales[j]);
    const std::size_t half = j / 8;
    const std::size_t first = j % 8 * kValues;  // within the half
    const std::uint8_t* low = block.low.data() + 64 * half + first % 64;
    const std::uint8_t* high = block.high.data() + 32 * half + first % 32;
    const auto low_shift = 4 * (first / 64);
    const auto high_shift = 2 * (first / 32);
    for (std::size_t i = 0; i < kValues; ++i) {
      const int code = ((low[i] >> low_shift) & 15) | (((high[i] >> high_shift) & 3) << 4);
      x[j * kValues + i] = scale * static_cast<float>(code - kLevels);
    }
  }
}

}  // namespace

EncodeIssue encode_row_q6_k(const float* values, std::int64_t n, float /*tensor_scale*/, std::byte* blocks) {
  return codec::encode_blocks<BlockQ6_K, k_quants::kBlockValues>(values, n, blocks, encode_block);
}

void decode_row_q6_k(const std::byte* blocks, std::int64_t n, float /*tensor_scale*/, float* values) {
  codec::decode_blocks<BlockQ6_K, k_quants::kBlockValues>(blocks, n, values, decode_block);
}

bool valid_row_q6_k(const std::byte* blocks, std::int64_t n) {
  return k_quants::valid_row<BlockQ6_K>(blocks, n);
}

}  // namespace tern::formats
