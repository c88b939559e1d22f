// How the products of a training step are cut: what computes them and what measures them must agree.
#pragma once

#include <cstdint>

namespace tern::train {

/// Rows of a matrix whose gradient one piece of work adds up.
inline constexpr std::int64_t kGradientRows = 256;

/// Tokens whose logits one piece of work computes.
[[nodiscard]] constexpr std::int64_t head_tile(std::int64_t n_vocab) {
  return n_vocab > 16384 ? 32 : 128;
}

/// Tokens whose logits are held at once, some 8 MB, which stay in a shared cache.
[[nodiscard]] constexpr std::int64_t head_block(std::int64_t n_vocab) {
  constexpr std::int64_t kFloats = std::int64_t{1} << 21;
  const std::int64_t n_tiles = kFloats / n_vocab / head_tile(n_vocab);
  return (n_tiles < 4 ? 4 : n_tiles) * head_tile(n_vocab);
}

}  // namespace tern::train
