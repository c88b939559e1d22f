#include "kernels/ternary_panels.hpp"

#include <cstring>

namespace tern::kernels {
namespace {

constexpr int kZeros = 0x55;  // the code 1 four times

/// Where a row of a panel lies in a column: the byte, and how far its code is shifted.
struct Place {
  std::int64_t byte;
  int shift;
};
Place place_of(std::int64_t row) {
  const std::int64_t r = row % 64;
  return {r / 4 % 4 * 16 + r / 16 * 4 + r % 4, static_cast<int>(6 - 2 * (row / 64))};
}

/// One row's codes into its places of the panel's columns.
void scatter(const std::uint8_t* row, std::int64_t k, Place place, std::uint8_t* panel) {
  for (std::int64_t i = 0; i < k; ++i) {
    const std::int64_t in_group = i % kTernaryGroup;
    const int code = row[i / kTernaryGroup * 32 + in_group % 32] >> (6 - 2 * (in_group / 32)) & 3;
    // Panels begin as zeros, so that the code 1 is there: what is added takes it to 0 or 2.
    panel[i * kTernaryPanelColumn + place.byte] ^= static_cast<std::uint8_t>((code ^ 1) << place.shift);
  }
}

}  // namespace

AlignedBuffer pack_ternary_panels(const TernaryMatrix& matrix) {
  const std::int64_t panel_bytes = ternary_panel_bytes(matrix.k);
  AlignedBuffer out(static_cast<std::size_t>(ternary_panels(matrix.n_rows) * panel_bytes));
  std::memset(out.data(), kZeros, out.size());
  for (std::int64_t r = 0; r < matrix.n_rows; ++r) {
    scatter(matrix.codes + r * (matrix.k_padded / 4), matrix.k, place_of(r % kTernaryPanel),
            out.as<std::uint8_t>() + r / kTernaryPanel * panel_bytes);
  }
  return out;
}

void TakenColumns::take(const std::int8_t* codes, std::int64_t k) {
  const std::int64_t n_columns = ternary_panel_columns(k);
  columns_.resize(static_cast<std::size_t>(n_columns + kTernaryPanelAhead));
  codes_.resize(static_cast<std::size_t>(n_columns));
  std::size_t n = 0;
  for (std::int64_t i = 0; i < k; ++i) {  // without a branch, which would be guessed wrong too often
    columns_[n] = static_cast<std::uint32_t>(i);
    codes_[n] = codes[i];
    n += codes[i] != 0 ? 1 : 0;
  }
  const std::uint32_t last = n == 0 ? 0 : columns_[n - 1];
  for (; n % 4 != 0; ++n) {
    columns_[n] = last;
    codes_[n] = 0;
  }
  size_ = static_cast<std::int64_t>(n);
  for (std::size_t i = 0; i < kTernaryPanelAhead; ++i) {
    columns_[n + i] = i < n ? columns_[i] : 0;
  }
}

}  // namespace tern::kernels
