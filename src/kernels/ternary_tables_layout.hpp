// The measures of ternary products by look-up of sums, for kernels too: plain numbers (avx2/ternary_tables.cpp says
// what is looked up).
#pragma once

#include <cstdint>

namespace tern::kernels {

inline constexpr std::int64_t kTernaryTableColumns = 32;  // columns of the input that are done at once
/// Rows of a call at most: tables are made once for all of them, and their sums and what is read of their weights stay
/// in the second cache, 256 bytes a row.
inline constexpr std::int64_t kTernaryTableRows = 2560;
inline constexpr std::int64_t kTernaryTableBytes = std::int64_t{97} << 10;

/// Bytes that TernaryTablesArgs::scratch must hold: the tables, and sums of 32 and of 16 bits for every row.
[[nodiscard]] constexpr std::int64_t ternary_tables_scratch(std::int64_t n_rows) {
  return kTernaryTableBytes + (n_rows + 7) / 8 * 8 * kTernaryTableColumns * 6;
}

}  // namespace tern::kernels
