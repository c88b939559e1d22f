// What the five k-quant formats share: the search for a sub-block's scale, the 6-bit scale table.
//
// A k-quant block is 256 values cut into sub-blocks of 16 or 32. Each sub-block has a small integer scale (and minimum)
// under one fp16 scale of the block. Encoding has two stages: a search finds the float scale of each sub-block; the
// scales are rounded to integers, and the codes are rounded again under the scales as stored.
//
// These are the reference encoders of the ggml family (no importance matrix), byte for byte: the order of every float
// operation below is part of the format's test, so build with -ffp-contract=off and without -ffast-math. Better
// searches over the same bytes are methods and live in room quant.
//
// Common to all five formats:
//   rounding   nearest integer, ties to even; beyond 2^22 (and for NaN, in the middle of a search) what the bits of
//              codec::round_half_even say, the same on every machine
//   refused    NaN and infinity; a block whose scale does not fit fp16 (or whose search overflowed float)
//   underflow  a block so small that its fp16 scale rounds to 0 decodes to zeros; this is no error
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/block_codec.hpp"

namespace tern::formats::k_quants {

inline constexpr int kBlockValues = 256;

/// A sub-block whose largest magnitude is below this is all zeros to the symmetric formats.
inline constexpr float kTooSmall = 1e-15F;

inline int clamp_code(int code, int low, int high) {
  const int below = code > high ? high : code;
  return below < low ? low : below;
}

// --- x ~ scale * code - min, codes 0..levels (Q2_K, Q4_K, Q5_K) ---------------------------------------------------

/// Candidate inverse scales are (levels + first + step * k) / (max - min), k = 0..n_steps.
struct AffineGrid {
  int levels;
  float first;
  float step;
  int n_steps;
};

struct AffineFit {
  float scale;    // 0 for a sub-block that is constant and not positive
  float min;      // >= 0; what is subtracted
  float inverse;  // the search's own codes are clamp(nearest(inverse * (x - offset)))
  float offset;
};

enum class Penalty : std::uint8_t { squared, absolute };

/// Fits four neighbouring sub-blocks: `x` and `weight` [4 * kValues], `fits` [4]. For each candidate the least-squares
/// scale and minimum in closed form (minimum kept >= 0); the candidate with the smallest weighted error wins.
/// Exists for <32, squared> and <16, absolute>.
template <int kValues, Penalty kPenalty>
void fit_affine(const float* x, const float* weight, const AffineGrid& grid, AffineFit* fits);

/// The codes of one sub-block `x` [n] under its stored scale and minimum, or the search's own where the scale is 0.
void round_affine(const float* x, int n, float scale, float min, const AffineFit& fit, int levels, std::uint8_t* codes);

// --- x ~ scale * code, codes -levels..levels-1, stored with `levels` added (Q3_K, Q6_K) ----------------------------

struct SymmetricFit {
  float scale;    // its sign makes the largest magnitude the code -levels; 0 for a sub-block below kTooSmall
  float inverse;  // the search's own codes are clamp(nearest(inverse * x))
};

/// Fits four neighbouring sub-blocks of 16: nineteen candidates around -levels / (value of largest magnitude), weights
/// x^2, least-squares scale. `x` [64], `fits` [4].
void fit_symmetric(const float* x, int levels, SymmetricFit* fits);

/// Fits four neighbouring sub-blocks of 16: starts from -levels / (value of largest magnitude) and improves one code at
/// a time, at most five passes, weights x^2. `x` [64], `scales` [4], `codes` [64] as stored.
void fit_symmetric_by_coordinates(const float* x, int levels, float* scales, std::uint8_t* codes);

/// The codes of one sub-block `x` [n] under its stored scale, which is not 0.
void round_symmetric(const float* x, int n, float scale, int levels, std::uint8_t* codes);

// --- the 6-bit table of Q4_K and Q5_K ------------------------------------------------------------------------------
//
//               bits 7 6                       bits 5 4 3 2 1 0          (j = 0..3)
//   byte j      scale[j + 4] bits 5..4         scale[j]
//   byte j + 4  min[j + 4] bits 5..4           min[j]
//
//               bits 7 6 5 4                   bits 3 2 1 0
//   byte j + 8  min[j + 4] bits 3..0           scale[j + 4] bits 3..0

struct ScaleAndMin {
  std::uint8_t scale;
  std::uint8_t min;
};

/// Packs 8 pairs of 6-bit numbers (each at most 63) into `table` [12].
void pack_scales(const ScaleAndMin* pairs, std::uint8_t* table);

/// Pair j (0..7) of `table` [12].
inline ScaleAndMin unpack_scale(const std::uint8_t* table, int j) {
  if (j < 4) {
    return {static_cast<std::uint8_t>(table[j] & 63), static_cast<std::uint8_t>(table[j + 4] & 63)};
  }
  return {static_cast<std::uint8_t>((table[j + 4] & 15) | ((table[j - 4] >> 6) << 4)),
          static_cast<std::uint8_t>((table[j + 4] >> 4) | ((table[j] >> 6) << 4))};
}

/// The whole of Q4_K and Q5_K but for where the codes go: `x` [256], `table` [12], `codes` [256] in 0..grid.levels.
/// False if a scale does not fit fp16.
bool encode_affine_block(const float* x, const AffineGrid& grid, std::uint16_t& d, std::uint16_t& dmin,
                         std::uint8_t* table, std::uint8_t* codes);

/// Every code is legal in these formats, so a row is valid if its fp16 scales are finite.
template <typename Block>
bool valid_row(const std::byte* blocks, std::int64_t n) {
  return codec::all_blocks<Block, kBlockValues>(blocks, n, [](const Block& block) {
    if constexpr (requires { block.dmin; }) {
      if (!codec::is_finite_fp16(block.dmin)) return false;
    }
    return codec::is_finite_fp16(block.d);
  });
}

}  // namespace tern::formats::k_quants
