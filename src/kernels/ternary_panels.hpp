// A second layout of ternary weights, by columns, for products whose inputs are mostly zero, such as those behind a
// squared ReLU: a column whose input is zero need not be read. Two bits a weight, codes 0, 1, 2 for -1, 0, +1.
//
// A panel is 256 rows: one column after the other, 64 bytes each, so that a column of a panel is a cache line. Byte
// 16 l + 4 m + i of a column (l, m, i from 0 to 3) holds, at bits 7-6, 5-4, 3-2 and 1-0, the codes of the panel's rows
// r, r + 64, r + 128 and r + 192 with r = 16 m + 4 l + i: four columns whose bytes are interleaved in lanes of 16 bytes
// then have their rows in order. Rows beyond the last and columns beyond the last, up to a multiple of four, are zero.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/ternary_pack.hpp"
#include "kernels/ternary_panel_layout.hpp"

namespace tern::kernels {

[[nodiscard]] constexpr std::int64_t ternary_panels(std::int64_t n_rows) {
  return (n_rows + kTernaryPanel - 1) / kTernaryPanel;
}
/// k rounded up to what panels hold.
[[nodiscard]] constexpr std::int64_t ternary_panel_columns(std::int64_t k) {
  return (k + 3) / 4 * 4;
}
[[nodiscard]] constexpr std::int64_t ternary_panel_bytes(std::int64_t k) {
  return ternary_panel_columns(k) * kTernaryPanelColumn;
}

/// The same weights as panels. out: ternary_panels(n_rows) times ternary_panel_bytes(k) bytes, on a cache line.
void pack_ternary_panels(const TernaryMatrix& matrix, std::uint8_t* out, const Packing& packing = {});

/// The codes of one column of an input that are not zero, as TernaryTakenArgs wants them. Memory is kept from one input
/// to the next.
class TakenColumns {
 public:
  /// codes: [k].
  void take(const std::int8_t* codes, std::int64_t k);

  [[nodiscard]] const std::uint32_t* columns() const { return columns_.data(); }
  [[nodiscard]] const std::int8_t* codes() const { return codes_.data(); }
  /// A multiple of 4.
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  std::vector<std::uint32_t> columns_;
  std::vector<std::int8_t> codes_;
  std::int64_t size_ = 0;
};

}  // namespace tern::kernels
