// How the rows of a product are cut into pieces that threads take one after the other.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tern::ops {

/// Rows handed out at once: enough pieces that a slow thread does not hold the others up, none so small that handing it
/// out costs more than computing it.
[[nodiscard]] inline std::int64_t rows_per_chunk(std::int64_t n_rows, std::int64_t n_cols, std::int64_t k,
                                                 int n_threads) {
  constexpr std::int64_t kLeastProducts = std::int64_t{1} << 16;
  const std::int64_t share = n_rows / (static_cast<std::int64_t>(n_threads) * 8);
  const std::int64_t least = std::max<std::int64_t>(n_cols == 1 ? 64 : 16, kLeastProducts / (k * n_cols));
  return (std::max(least, share) + 31) / 32 * 32;  // whole panels of binary weights
}

}  // namespace tern::ops
