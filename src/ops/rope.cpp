#include "ops/rope.hpp"

#include <cmath>

namespace tern::ops {

void RopeTable::compute(const RopeKind& kind, std::span<const std::int32_t> positions) {
  const std::size_t half = kind.inverse_frequency.size();
  cosine.resize(positions.size() * half);
  sine.resize(positions.size() * half);
  for (std::size_t t = 0; t < positions.size(); ++t) {
    for (std::size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(positions[t]) * kind.inverse_frequency[i];
      cosine[t * half + i] = static_cast<float>(std::cos(static_cast<double>(angle))) * kind.magnitude;
      sine[t * half + i] = static_cast<float>(std::sin(static_cast<double>(angle))) * kind.magnitude;
    }
  }
}

void rotate(const RopeKind& kind, const float* cosine, const float* sine, const float* in, std::int64_t n_heads,
            std::int64_t head_dim, float* out) {
  const std::int64_t half = kind.n_rotary / 2;
  const std::int64_t step = kind.half_split ? 1 : 2;      // from one pair's first member to the next pair's
  const std::int64_t apart = kind.half_split ? half : 1;  // from a pair's first member to its second
  for (std::int64_t h = 0; h < n_heads; ++h) {
    const float* source = in + h * head_dim;
    float* target = out + h * head_dim;
    for (std::int64_t i = 0; i < half; ++i) {
      const float a = source[i * step];
      const float b = source[i * step + apart];
      target[i * step] = a * cosine[i] - b * sine[i];
      target[i * step + apart] = b * cosine[i] + a * sine[i];
    }
    for (std::int64_t i = kind.n_rotary; i < head_dim; ++i) target[i] = source[i];
  }
}

}  // namespace tern::ops
