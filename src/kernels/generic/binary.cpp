// Exact integer products with packed binary weights by look-up, one row at a time (layout: kernels/binary_pack.hpp).
#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {

void binary_tables(const std::int8_t* codes, std::int64_t k_padded, std::uint8_t* tables) {
  for (std::int64_t i = 0; i < k_padded; i += 4, tables += 32) {
    for (int e = 0; e < 16; ++e) {
      int sum = 512;
      for (int bit = 0; bit < 4; ++bit) sum += (e >> bit & 1) * codes[i + bit];
      tables[e] = static_cast<std::uint8_t>(sum & 31);
      tables[16 + e] = static_cast<std::uint8_t>(sum >> 5);
    }
  }
}

void binary(const BinaryArgs& a) {
  constexpr std::int64_t kPanel = 32;
  const std::int64_t n_steps = a.k_padded / 8;
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    const std::uint8_t* tables = a.tables + static_cast<std::size_t>(c) * a.table_stride;
    const auto offset = static_cast<std::int32_t>(1024 * (a.k_padded / 4)) + a.x_sums[c];
    for (std::int64_t r = 0; r < a.n_panels * kPanel; ++r) {
      const std::uint8_t* w = a.w + r / kPanel * n_steps * kPanel + r % kPanel;
      std::int32_t sum = 0;
      for (std::int64_t s = 0; s < n_steps; ++s) {
        const int bits = w[s * kPanel];
        const std::uint8_t* first = tables + s * 64 + (bits & 15);
        const std::uint8_t* second = tables + s * 64 + 32 + (bits >> 4);
        sum += first[0] + 32 * first[16] + second[0] + 32 * second[16];
      }
      a.y[static_cast<std::size_t>(c) * a.y_stride + static_cast<std::size_t>(r)] =
          static_cast<float>(2 * sum - offset) / a.x_scales[c] * a.w_scale;
    }
  }
}

}  // namespace tern::kernels::generic
