#include "kernels/ternary_panels.hpp"

#include <algorithm>
#include <array>

namespace tern::kernels {
namespace {

/// Codes of one row [k_padded], or of none: zeros.
void unpack_row(const TernaryMatrix& matrix, std::int64_t row, std::uint8_t* codes) {
  if (row >= matrix.n_rows) {
    std::fill_n(codes, matrix.k_padded, std::uint8_t{1});
    return;
  }
  const std::uint8_t* bytes = matrix.codes + row * (matrix.k_padded / 4);
  for (std::int64_t g = 0; g < matrix.k_padded / kTernaryGroup; ++g, bytes += 32) {
    for (int shift = 6; shift >= 0; shift -= 2, codes += 32) {
      for (int i = 0; i < 32; ++i) codes[i] = static_cast<std::uint8_t>(bytes[i] >> shift & 3);
    }
  }
}

}  // namespace

void pack_ternary_panels(const TernaryMatrix& matrix, std::uint8_t* out, const Packing& packing) {
  constexpr std::int64_t kPlane = kTernaryPanel / 4;  // rows that a byte's codes are apart
  const auto n_columns = static_cast<std::size_t>(ternary_panel_columns(matrix.k));
  const auto pack = [&](std::int64_t first_row, std::array<std::vector<std::uint8_t>, 4>& codes, std::uint8_t* panel) {
    for (std::int64_t r = 0; r < kPlane; ++r) {
      for (std::size_t p = 0; p < 4; ++p) {
        unpack_row(matrix, first_row + r + static_cast<std::int64_t>(p) * kPlane, codes[p].data());
      }
      std::uint8_t* bytes = panel + r / 4 % 4 * 16 + r / 16 * 4 + r % 4;
      for (std::size_t i = 0; i < n_columns; ++i) {
        bytes[i * kTernaryPanelColumn] =
            static_cast<std::uint8_t>(codes[0][i] << 6 | codes[1][i] << 4 | codes[2][i] << 2 | codes[3][i]);
      }
    }
  };
  for_parts(packing, ternary_panels(matrix.n_rows), [&](std::int64_t begin, std::int64_t end) {
    std::array<std::vector<std::uint8_t>, 4> codes;
    for (auto& row : codes) row.resize(static_cast<std::size_t>(matrix.k_padded));
    for (std::int64_t p = begin; p < end; ++p) pack(p * kTernaryPanel, codes, out + p * ternary_panel_bytes(matrix.k));
  });
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
