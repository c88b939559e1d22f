// How a product is cut into pieces that threads take one after the other.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/matrix.hpp"

namespace tern::ops {

/// Rows handed out at once: enough pieces that a slow thread does not hold the others up, none so small that handing it
/// out costs more than computing it.
[[nodiscard]] std::int64_t rows_per_chunk(std::int64_t n_rows, std::int64_t n_cols, std::int64_t k, int n_threads);

/// All of a product with n_cols columns, in blocks of about `chunk` rows that do not cut what lies in memory as one; of
/// matrices that do some columns at once in blocks of those and of many rows.
[[nodiscard]] std::vector<Block> blocks_of(const Matrix& matrix, std::int64_t n_cols, std::int64_t chunk,
                                           int n_threads);

}  // namespace tern::ops
