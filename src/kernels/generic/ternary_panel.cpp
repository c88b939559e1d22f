// Exact integer products with ternary weights by columns, one code at a time (layout: kernels/ternary_panels.hpp).
#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

constexpr std::int64_t kPanel = 256;
constexpr std::int64_t kColumnBytes = 64;

/// Adds one column of a panel, times its input, to the outputs of the panel's rows.
void add_column(const std::uint8_t* column, int x, std::int32_t* y) {
  for (int byte = 0; byte < kColumnBytes; ++byte) {
    const int row = byte / 4 % 4 * 16 + byte / 16 * 4 + byte % 4;
    for (int part = 0; part < 4; ++part) y[row + 64 * part] += (column[byte] >> (6 - 2 * part) & 3) * x;
  }
}

}  // namespace

void ternary_panel(const TernaryPanelArgs& a) {
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    for (std::int64_t p = 0; p < a.n_panels; ++p) {
      const std::uint8_t* panel = a.w + p * a.k * kColumnBytes;
      std::int32_t* y = a.y + static_cast<std::size_t>(c) * a.y_stride + p * kPanel;
      for (std::int64_t r = 0; r < kPanel; ++r) y[r] = -a.x_sums[c];
      if (a.n_cols == 1) {
        for (std::int64_t i = 0; i < a.n_taken; ++i) {
          add_column(panel + std::int64_t{a.taken[i]} * kColumnBytes, a.taken_codes[i], y);
        }
        continue;
      }
      const std::int8_t* x = a.x + static_cast<std::size_t>(c) * a.x_stride;
      for (std::int64_t i = 0; i < a.k; ++i) add_column(panel + i * kColumnBytes, x[i], y);
    }
  }
}

}  // namespace tern::kernels::generic
