// Exact integer products with ternary weights by columns (layout: kernels/ternary_panels.hpp), AMX: what AVX-512
// unpacks for vpdpbusd is what a tile takes as its second factor. A step is 16 columns of the input by 64 rows: four
// tiles of sums. Exact as in ternary.cpp; fewer columns than a tile has rows leave it to AVX-512.
#if defined(__x86_64__)

#include "kernels/avx512vnni/ternary_panel_unpack.hpp"
// After it:
#include "kernels/amxint8/functions.hpp"
#include "kernels/amxint8/tiles.hpp"
#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::amxint8 {
namespace {

using avx512vnni::kPanelTileColumns;
using avx512vnni::kPlaneBytes;
using avx512vnni::kStepBytes;

// Tiles 0 to 3 are sums, of 16 rows each. Inputs and weights go by 64 columns of weights, and by fewer where k ends.
constexpr int kInput = 4;
constexpr int kWeights = 5;
constexpr int kLastInput = 6;
constexpr int kLastWeights = 7;

/// Tiles for n_cols columns of the input, the last of them of `rest` columns of weights.
void set_shapes_of(std::int64_t n_cols, std::int64_t rest) {
  TileShapes shapes;
  for (int sums = 0; sums < 4; ++sums) shapes.set(sums, n_cols, kTileBytes);
  shapes.set(kInput, n_cols, kTileBytes);
  shapes.set(kWeights, kTileRows, kTileBytes);
  shapes.set(kLastInput, n_cols, rest);
  shapes.set(kLastWeights, rest / 4, kTileBytes);
  set_shapes(shapes);
}

template <int kSums, int kA, int kB>
void add_sixteen_rows(const std::uint8_t* w) {
  load<kB>(w + kSums * kTileBytes, kStepBytes);
  add_products<kSums, kA, kB>();
}
template <int kA, int kB>
void add_columns(const std::int8_t* x, std::int64_t x_stride, const std::uint8_t* w) {
  load<kA>(x, x_stride);
  add_sixteen_rows<0, kA, kB>(w);
  add_sixteen_rows<1, kA, kB>(w);
  add_sixteen_rows<2, kA, kB>(w);
  add_sixteen_rows<3, kA, kB>(w);
}

/// A plane of unpacked rows against the columns that tiles are shaped for, over n columns of weights, added to y.
void add_plane(const std::int8_t* x, std::int64_t x_stride, const std::uint8_t* plane, std::int64_t n, std::int32_t* y,
               std::int64_t y_bytes) {
  load<0>(y, y_bytes);
  load<1>(y + kTileRows, y_bytes);
  load<2>(y + 2 * kTileRows, y_bytes);
  load<3>(y + 3 * kTileRows, y_bytes);
  std::int64_t k = 0;
  for (; k + kTileBytes <= n; k += kTileBytes)
    add_columns<kInput, kWeights>(x + k, x_stride, plane + k / 4 * kStepBytes);
  if (k < n) add_columns<kLastInput, kLastWeights>(x + k, x_stride, plane + k / 4 * kStepBytes);
  store<0>(y, y_bytes);
  store<1>(y + kTileRows, y_bytes);
  store<2>(y + 2 * kTileRows, y_bytes);
  store<3>(y + 3 * kTileRows, y_bytes);
}

}  // namespace

void ternary_panel(const TernaryPanelArgs& a) {
  if (a.n_cols < kTileRows) return avx512vnni::ternary_panel(a);
  alignas(64) std::uint8_t codes[4 * kPlaneBytes];
  const auto x_stride = static_cast<std::int64_t>(a.x_stride);
  const auto y_stride = static_cast<std::int64_t>(a.y_stride);
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    for (std::int64_t r = 0; r < kTernaryPanel; ++r) a.y[c * y_stride + r] = -a.x_sums[c];
  }
  std::int64_t shaped = 0;
  for (std::int64_t k = 0; k < a.k; k += kPanelTileColumns) {
    const std::int64_t n = least(a.k - k, kPanelTileColumns);
    avx512vnni::unpack_panel(a.w + k * kTernaryPanelColumn, n, codes);
    for (std::int64_t c = 0; c < a.n_cols; c += kTileRows) {
      const std::int64_t n_cols = least(a.n_cols - c, kTileRows);
      if (n_cols != shaped) {
        set_shapes_of(n_cols, a.k % kTileBytes);
        shaped = n_cols;
      }
      for (int q = 0; q < 4; ++q) {
        add_plane(a.x + c * x_stride + k, x_stride, codes + q * kPlaneBytes, n, a.y + c * y_stride + 4 * kTileRows * q,
                  y_stride * 4);
      }
    }
  }
  release();
}

}  // namespace tern::kernels::amxint8

#endif
