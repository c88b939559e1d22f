// Rotary position embedding (arXiv 2104.09864): pairs of a head's dimensions are rotated by position * frequency.
// Where the frequencies come from is the model's affair; cos and sin are computed once per batch and kind.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tern::ops {

struct RopeKind {
  std::int64_t n_rotary = 0;
  bool half_split = false;               // pairs (i, i + n/2); otherwise (2i, 2i + 1)
  std::vector<float> inverse_frequency;  // [n_rotary / 2]
  float magnitude = 1.0F;                // multiplies cos and sin
  bool operator==(const RopeKind&) const = default;
};

/// cos and sin of the angles of `positions`, each [n_positions][n_rotary / 2].
struct RopeTable {
  std::vector<float> cosine;
  std::vector<float> sine;
  void compute(const RopeKind& kind, std::span<const std::int32_t> positions);
};

/// Rotates n_heads heads of head_dim values; `cosine`, `sine` [n_rotary / 2] of this position. out may be in.
void rotate(const RopeKind& kind, const float* cosine, const float* sine, const float* in, std::int64_t n_heads,
            std::int64_t head_dim, float* out);

}  // namespace tern::ops
