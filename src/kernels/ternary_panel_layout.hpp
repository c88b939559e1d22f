// The measures of ternary weights by columns, for kernels too: plain numbers (ternary_panels.hpp has the layout).
#pragma once

#include <cstdint>

namespace tern::kernels {

inline constexpr std::int64_t kTernaryPanel = 256;       // rows
inline constexpr std::int64_t kTernaryPanelColumn = 64;  // bytes of a column
/// Columns that stand behind those that are taken, to be fetched ahead: into the first and the second cache so many
/// ahead. Of a cold matrix of which 15 % is taken AVX2 reads 49 GB/s of all its bytes so, 44 with 32 columns ahead into
/// the first alone; AVX-512 63 and 45 (Xeon, one thread, 2026-11).
inline constexpr std::int64_t kTernaryPanelAhead = 64;
inline constexpr std::int64_t kTernaryPanelNear = 16;
inline constexpr std::int64_t kTernaryPanelFar = 60;
static_assert(kTernaryPanelFar + 4 <= kTernaryPanelAhead, "four columns at once look ahead");

}  // namespace tern::kernels
