// The measures of products that look sums of activations up, for kernels too: plain numbers (avx2/ternary_tables.cpp
// and avx2/binary_sums.hpp say what is looked up). In an anonymous namespace, as simd.hpp.
#pragma once

#include <cstdint>

namespace tern::kernels {

inline constexpr std::int64_t kSumColumns = 32;  // columns of the input that are done at once: a run
/// Rows of a call with ternary weights at most: tables are made once for all of them, and their sums and what is read
/// of their weights stay in the second cache, 256 bytes a row.
inline constexpr std::int64_t kSumRows = 2560;
inline constexpr std::int64_t kSumTableBytes = std::int64_t{97} << 10;

namespace {

/// Bytes that TernaryTablesArgs::scratch must hold: the tables, and sums of 32 and of 16 bits for every row.
[[nodiscard]] constexpr std::int64_t sum_tables_scratch(std::int64_t n_rows) {
  return kSumTableBytes + (n_rows + 7) / 8 * 8 * kSumColumns * 6;
}

/// How many of n_cols columns are done in runs, the first ones: whole runs, and what is left over too unless it is
/// below `from` (SumTables::from; 0 or more than a run has: none are).
[[nodiscard]] constexpr std::int64_t columns_in_runs(std::int64_t from, std::int64_t n_cols) {
  if (from == 0 || from > kSumColumns) return 0;
  const std::int64_t left_over = n_cols % kSumColumns;
  return left_over >= from ? n_cols : n_cols - left_over;
}

}  // namespace
}  // namespace tern::kernels
