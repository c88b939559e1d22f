#include "formats/k_quants.hpp"

#include <cmath>

#include "formats/four_lanes.hpp"

namespace tern::formats::k_quants {

using lanes::all;
using lanes::any;
using lanes::code_of;
using lanes::Columns;
using lanes::Floats;
using lanes::Ints;
using lanes::kLanes;
using lanes::magnitude;

namespace {

template <Penalty kPenalty>
Floats penalty(Floats difference) {
  if constexpr (kPenalty == Penalty::absolute) return magnitude(difference);
  return difference * difference;
}

/// The largest magnitude and the first value that has it, in each lane.
template <int kValues>
void find_largest(const Columns<kValues>& x, Floats& largest, Floats& value) {
  largest = all(0.0F);
  value = all(0.0F);
  for (int i = 0; i < kValues; ++i) {
    const Floats size = magnitude(x.column[i]);
    const Ints larger = size > largest;
    largest = larger ? size : largest;
    value = larger ? x.column[i] : value;
  }
}

/// Sums of w x l and w l^2 over the codes l that `inverse` gives, weights w = x^2.
template <int kValues>
void correlate(const Columns<kValues>& x, Floats inverse, int levels, Floats& sum_xl, Floats& sum_l2) {
  sum_xl = all(0.0F);
  sum_l2 = all(0.0F);
  for (int i = 0; i < kValues; ++i) {
    const Floats value = x.column[i];
    const Floats code = code_of(inverse * value, -levels, levels - 1);
    const Floats weight = value * value;
    sum_xl += weight * value * code;
    sum_l2 += weight * code * code;
  }
}

}  // namespace

template <int kValues, Penalty kPenalty>
void fit_affine(const float* x, const float* weight, const AffineGrid& grid, AffineFit* fits) {
  const auto value = Columns<kValues>::of(x);
  const auto importance = Columns<kValues>::of(weight);
  const Floats zero = all(0.0F);
  const auto top = static_cast<float>(grid.levels);

  Floats low = value.column[0];
  Floats high = value.column[0];
  Floats sum_w = importance.column[0];
  Floats sum_x = sum_w * value.column[0];
  for (int i = 1; i < kValues; ++i) {
    const Floats v = value.column[i];
    const Floats w = importance.column[i];
    low = v < low ? v : low;
    high = v > high ? v : high;
    sum_w += w;
    sum_x += w * v;
  }
  low = low > 0.0F ? zero : low;
  // Nothing to search in these lanes; what is computed for them below is thrown away at the end.
  const Ints flat = high == low;
  const Floats flat_min = low;

  Floats inverse = top / (high - low);
  Floats scale = 1.0F / inverse;
  Floats best_inverse = inverse;
  Floats best_offset = low;
  Floats best_error = zero;
  for (int i = 0; i < kValues; ++i) {
    const Floats code = code_of(inverse * (value.column[i] - low), 0, grid.levels);
    const Floats difference = scale * code + low - value.column[i];
    best_error += importance.column[i] * penalty<kPenalty>(difference);
  }

  for (int step = 0; step <= grid.n_steps; ++step) {
    // `low` moves when a candidate wins, and later candidates start from the new one: so does the reference.
    inverse = (grid.first + grid.step * static_cast<float>(step) + top) / (high - low);
    Columns<kValues> codes;
    Floats sum_l = zero;
    Floats sum_l2 = zero;
    Floats sum_xl = zero;
    for (int i = 0; i < kValues; ++i) {
      const Floats code = code_of(inverse * (value.column[i] - low), 0, grid.levels);
      codes.column[i] = code;
      const Floats weighted = importance.column[i] * code;
      sum_l += weighted;
      sum_l2 += weighted * code;
      sum_xl += weighted * value.column[i];
    }
    const Floats determinant = sum_w * sum_l2 - sum_l * sum_l;
    Floats step_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    Floats step_low = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    const Ints positive = step_low > 0.0F;
    step_low = positive ? zero : step_low;
    step_scale = positive ? sum_xl / sum_l2 : step_scale;
    Floats error = zero;
    for (int i = 0; i < kValues; ++i) {
      const Floats difference = step_scale * codes.column[i] + step_low - value.column[i];
      error += importance.column[i] * penalty<kPenalty>(difference);
    }
    const Ints better = (determinant > 0.0F) & (error < best_error);
    best_error = better ? error : best_error;
    best_inverse = better ? inverse : best_inverse;
    best_offset = better ? low : best_offset;
    scale = better ? step_scale : scale;
    low = better ? step_low : low;
  }

  for (int j = 0; j < kLanes; ++j) {
    fits[j] = flat[j] != 0 ? AffineFit{0.0F, -flat_min[j], 0.0F, 0.0F}
                           : AffineFit{scale[j], -low[j], best_inverse[j], best_offset[j]};
  }
}

template void fit_affine<16, Penalty::absolute>(const float*, const float*, const AffineGrid&, AffineFit*);
template void fit_affine<32, Penalty::squared>(const float*, const float*, const AffineGrid&, AffineFit*);

void round_affine(const float* x, int n, float scale, float min, const AffineFit& fit, int levels,
                  std::uint8_t* codes) {
  if (scale != 0.0F) {
    for (int i = 0; i < n; ++i) {
      codes[i] = static_cast<std::uint8_t>(clamp_code(codec::round_half_even((x[i] + min) / scale), 0, levels));
    }
  } else {
    for (int i = 0; i < n; ++i) {
      codes[i] =
          static_cast<std::uint8_t>(clamp_code(codec::round_half_even(fit.inverse * (x[i] - fit.offset)), 0, levels));
    }
  }
}

void fit_symmetric(const float* x, int levels, SymmetricFit* fits) {
  const auto value = Columns<16>::of(x);
  Floats largest;
  Floats extreme;
  find_largest(value, largest, extreme);
  const Ints empty = largest < kTooSmall;

  Floats best_inverse = -static_cast<float>(levels) / extreme;
  Floats sum_xl;
  Floats sum_l2;
  correlate(value, best_inverse, levels, sum_xl, sum_l2);
  Floats scale = sum_l2 != 0.0F ? sum_xl / sum_l2 : all(0.0F);
  Floats best = scale * sum_xl;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    const Floats inverse = -(static_cast<float>(levels) + 0.1F * static_cast<float>(step)) / extreme;
    correlate(value, inverse, levels, sum_xl, sum_l2);
    const Ints better = (sum_l2 > 0.0F) & (sum_xl * sum_xl > best * sum_l2);
    const Floats step_scale = sum_xl / sum_l2;
    scale = better ? step_scale : scale;
    best = better ? step_scale * sum_xl : best;
    best_inverse = better ? inverse : best_inverse;
  }
  for (int j = 0; j < kLanes; ++j) {
    fits[j] = empty[j] != 0 ? SymmetricFit{0.0F, 0.0F} : SymmetricFit{scale[j], best_inverse[j]};
  }
}

void fit_symmetric_by_coordinates(const float* x, int levels, float* scales, std::uint8_t* codes) {
  constexpr int kValues = 16;
  constexpr int kPasses = 5;
  const auto value = Columns<kValues>::of(x);
  Floats largest;
  Floats extreme;
  find_largest(value, largest, extreme);
  const Ints empty = largest < kTooSmall;

  const Floats inverse = -static_cast<float>(levels) / extreme;
  Columns<kValues> code;
  Floats sum_xl = all(0.0F);
  Floats sum_l2 = all(0.0F);
  for (int i = 0; i < kValues; ++i) {
    const Floats v = value.column[i];
    const Floats l = code_of(inverse * v, -levels, levels - 1);
    code.column[i] = l;
    const Floats weight = v * v;
    sum_xl += weight * v * l;
    sum_l2 += weight * l * l;
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    Ints changed = all(0);
    for (int i = 0; i < kValues; ++i) {
      const Floats v = value.column[i];
      const Floats weight = v * v;
      const Floats old_code = code.column[i];
      // What the others want this code to be, given their best scale.
      const Floats others_xl = sum_xl - weight * v * old_code;
      const Floats others_l2 = sum_l2 - weight * old_code * old_code;
      const Floats new_code = code_of(v * others_l2 / others_xl, -levels, levels - 1);
      const Floats new_xl = others_xl + weight * v * new_code;
      const Floats new_l2 = others_l2 + weight * new_code * new_code;
      const Ints better = (others_xl > 0.0F) & (new_code != old_code) & (new_l2 > 0.0F) &
                          (new_xl * new_xl * sum_l2 > sum_xl * sum_xl * new_l2);
      code.column[i] = better ? new_code : old_code;
      sum_xl = better ? new_xl : sum_xl;
      sum_l2 = better ? new_l2 : sum_l2;
      changed |= better;
    }
    // A lane without a change would repeat itself, so running on for the others' sake does not alter it.
    if (!any(changed)) break;
  }
  // Asked this way round so that a sum that overflowed gives a NaN, which callers refuse, and not a silent 0.
  const Floats fitted = sum_l2 <= 0.0F ? all(0.0F) : sum_xl / sum_l2;
  for (int j = 0; j < kLanes; ++j) {
    const bool is_empty = empty[j] != 0;
    scales[j] = is_empty ? 0.0F : fitted[j];
    for (int i = 0; i < kValues; ++i) {
      codes[j * kValues + i] = is_empty ? 0 : static_cast<std::uint8_t>(static_cast<int>(code.column[i][j]) + levels);
    }
  }
}

void round_symmetric(const float* x, int n, float scale, int levels, std::uint8_t* codes) {
  for (int i = 0; i < n; ++i) {
    codes[i] =
        static_cast<std::uint8_t>(clamp_code(codec::round_half_even(x[i] / scale), -levels, levels - 1) + levels);
  }
}

void pack_scales(const ScaleAndMin* pairs, std::uint8_t* table) {
  for (int j = 0; j < 4; ++j) {
    const ScaleAndMin first = pairs[j];
    const ScaleAndMin second = pairs[j + 4];
    table[j] = static_cast<std::uint8_t>(first.scale | ((second.scale >> 4) << 6));
    table[j + 4] = static_cast<std::uint8_t>(first.min | ((second.min >> 4) << 6));
    table[j + 8] = static_cast<std::uint8_t>((second.scale & 15) | ((second.min & 15) << 4));
  }
}

bool encode_affine_block(const float* x, const AffineGrid& grid, std::uint16_t& d, std::uint16_t& dmin,
                         std::uint8_t* table, std::uint8_t* codes) {
  constexpr int kSubBlocks = 8;
  constexpr int kValues = 32;
  float weight[kBlockValues];
  for (int first = 0; first < kBlockValues; first += kValues) {
    float sum_x2 = 0.0F;
    for (int i = first; i < first + kValues; ++i) sum_x2 += x[i] * x[i];
    const float rms = std::sqrt(sum_x2 / static_cast<float>(kValues));
    for (int i = first; i < first + kValues; ++i) weight[i] = rms + std::fabs(x[i]);
  }
  AffineFit fits[kSubBlocks];
  for (int j = 0; j < kSubBlocks; j += kLanes) {
    fit_affine<kValues, Penalty::squared>(x + j * kValues, weight + j * kValues, grid, fits + j);
  }

  float max_scale = 0.0F;
  float max_min = 0.0F;
  for (const AffineFit& fit : fits) {
    if (!codec::is_finite(fit.scale) || !codec::is_finite(fit.min)) return false;
    max_scale = fit.scale > max_scale ? fit.scale : max_scale;
    max_min = fit.min > max_min ? fit.min : max_min;
  }
  d = fp32_to_fp16(max_scale / 63.0F);
  dmin = fp32_to_fp16(max_min / 63.0F);
  if (!codec::is_finite_fp16(d) || !codec::is_finite_fp16(dmin)) return false;

  const float inverse_scale = max_scale > 0.0F ? 63.0F / max_scale : 0.0F;
  const float inverse_min = max_min > 0.0F ? 63.0F / max_min : 0.0F;
  ScaleAndMin pairs[kSubBlocks];
  for (int j = 0; j < kSubBlocks; ++j) {
    // Through a byte before the limit: a negative scale, should a search ever end there, becomes 63 as in the
    // reference.
    const auto scale = static_cast<std::uint8_t>(codec::round_half_even(inverse_scale * fits[j].scale));
    const auto min = static_cast<std::uint8_t>(codec::round_half_even(inverse_min * fits[j].min));
    pairs[j] = {scale > 63 ? std::uint8_t{63} : scale, min > 63 ? std::uint8_t{63} : min};
  }
  pack_scales(pairs, table);

  const float scale_unit = fp16_to_fp32(d);
  const float min_unit = fp16_to_fp32(dmin);
  for (int j = 0; j < kSubBlocks; ++j) {
    const int first = j * kValues;
    round_affine(x + first, kValues, scale_unit * static_cast<float>(pairs[j].scale),
                 min_unit * static_cast<float>(pairs[j].min), fits[j], grid.levels, codes + first);
  }
  return true;
}

}  // namespace tern::formats::k_quants
