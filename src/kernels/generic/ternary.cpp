// Exact integer products with packed ternary weights, one byte of four codes at a time (layout:
// kernels/ternary_pack.hpp).
#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {

void ternary(const TernaryArgs& a) {
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    const std::int8_t* x = a.x + c * a.k_padded;
    for (std::int64_t r = 0; r < a.n_rows; ++r) {
      const std::uint8_t* row = a.w + r * (a.k_padded / 4);
      std::int32_t sum = 0;
      for (std::int64_t g = 0; g < a.k_padded; g += 128) {
        for (std::int64_t p = 0; p < 32; ++p) {
          const int byte = row[g / 4 + p];
          sum += (byte >> 6) * x[g + p] + (byte >> 4 & 3) * x[g + 32 + p] + (byte >> 2 & 3) * x[g + 64 + p] +
                 (byte & 3) * x[g + 96 + p];
        }
      }
      a.y[static_cast<std::size_t>(c) * a.y_stride + static_cast<std::size_t>(r)] = sum - a.x_sums[c];
    }
  }
}

}  // namespace tern::kernels::generic
