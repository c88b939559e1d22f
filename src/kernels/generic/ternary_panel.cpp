// Exact integer products with ternary weights by columns, one code at a time (layout: kernels/ternary_panels.hpp).
#include "kernels/generic/functions.hpp"
#include "kernels/ternary_panel_layout.hpp"

namespace tern::kernels::generic {
namespace {

/// Adds one column of a panel, times its input, to the outputs of the panel's rows.
void add_column(const std::uint8_t* column, int x, std::int32_t* y) {
  for (int byte = 0; byte < kTernaryPanelColumn; ++byte) {
    const int row = byte / 4 % 4 * 16 + byte / 16 * 4 + byte % 4;
    for (int part = 0; part < 4; ++part) y[row + 64 * part] += (column[byte] >> (6 - 2 * part) & 3) * x;
  }
}

}  // namespace

void ternary_panel(const TernaryPanelArgs& a) {
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    const std::int8_t* x = a.x + static_cast<std::size_t>(c) * a.x_stride;
    std::int32_t* y = a.y + static_cast<std::size_t>(c) * a.y_stride;
    for (std::int64_t r = 0; r < kTernaryPanel; ++r) y[r] = -a.x_sums[c];
    for (std::int64_t i = 0; i < a.k; ++i) add_column(a.w + i * kTernaryPanelColumn, x[i], y);
  }
}

void ternary_taken(const TernaryTakenArgs& a) {
  for (std::int64_t r = 0; r < kTernaryPanel; ++r) a.y[r] = -a.x_sum;
  for (std::int64_t i = 0; i < a.n_taken; ++i) {
    add_column(a.w + std::int64_t{a.taken[i]} * kTernaryPanelColumn, a.codes[i], a.y);
  }
}

}  // namespace tern::kernels::generic
