// AMX: eight tiles of up to 16 rows of 64 bytes, and what multiplies them. In assembly because GCC 12's own functions
// do not say that they read and write memory, so that stores may be moved past them. In an anonymous namespace, as
// avx2/simd.hpp. Source: Intel SDM volume 1 chapter 18, volume 2 (LDTILECFG, TILELOADD, TDPBSUD).
#pragma once

#include <cstdint>

namespace tern::kernels::amxint8 {
namespace {

[[nodiscard]] inline std::int64_t least(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

constexpr std::int64_t kTileRows = 16;
constexpr std::int64_t kTileBytes = 64;  // of a row

/// What LDTILECFG reads. A tile without rows is not there.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  void set(int tile, std::int64_t n_rows, std::int64_t n_bytes) {
    rows[tile] = static_cast<std::uint8_t>(n_bytes == 0 ? 0 : n_rows);
    row_bytes[tile] = static_cast<std::uint16_t>(n_rows == 0 ? 0 : n_bytes);
  }
};
static_assert(sizeof(TileShapes) == 64);

/// All tiles are zero after it.
inline void set_shapes(const TileShapes& shapes) {
  asm volatile("ldtilecfg %0" : : "m"(shapes));
}
/// Gives the tiles back: what threads carry from one time slice to the next is as small as before.
inline void release() {
  asm volatile("tilerelease");
}

/// Rows `stride` bytes apart.
template <int kTile>
inline void load(const void* p, std::int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(stride), "i"(kTile) : "memory");
}
template <int kTile>
inline void store(void* p, std::int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(stride), "i"(kTile) : "memory");
}

/// sums[m][n] (32 bits) += for all j, i: a[m][4 j + i] (signed) * b[j][4 n + i] (unsigned).
template <int kSums, int kA, int kB>
inline void add_products() {
  asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kA), "i"(kB));
}

}  // namespace
}  // namespace tern::kernels::amxint8
