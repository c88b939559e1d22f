// The packed layout of binary weights in memory, one bit a weight, and the tables by which they are multiplied.
//
// Rows lie in panels of 32. For every 8 columns, from the first to the last, a panel has 32 bytes: byte r holds the 8
// signs of its row r, bit i the one of column i, 1 for + and 0 for -. A nibble so names 4 neighbouring weights of one
// row. Rows are padded to whole panels and columns to a multiple of 32, with bits of 0 beside codes
// of 0.
//
// A product looks sums up instead of multiplying. For every 4 codes of an input column there is a table of 32 bytes:
// the sum of the codes at the set bits of e, for each nibble e, plus 512, so that it lies in 0..1020. Its low 5 bits
// are byte e, the others byte 16 + e: either part can be added eight times in a byte. With S the sum of what a row
// looks up, its product is 2 * (S - 512 * n_tables) - (sum of the codes).
#pragma once

#include <cstdint>
#include <optional>

#include "formats/format.hpp"
#include "kernels/packing.hpp"
#include "tensor/aligned_buffer.hpp"
#include "tensor/view.hpp"

namespace tern::kernels {

inline constexpr std::int64_t kBinaryPanel = 32;  // rows

[[nodiscard]] constexpr std::int64_t binary_padded(std::int64_t k) {
  return (k + 31) / 32 * 32;
}
[[nodiscard]] constexpr std::int64_t binary_panels(std::int64_t n_rows) {
  return (n_rows + kBinaryPanel - 1) / kBinaryPanel;
}
/// Of a panel, which is also the step from one to the next.
[[nodiscard]] constexpr std::int64_t binary_panel_bytes(std::int64_t k) {
  return binary_padded(k) / 8 * kBinaryPanel;
}
/// Of the tables of one column.
[[nodiscard]] constexpr std::int64_t binary_table_bytes(std::int64_t k) {
  return binary_padded(k) / 4 * 32;
}

struct BinaryMatrix {
  const std::uint8_t* panels = nullptr;  // [binary_panels(n_rows), binary_panel_bytes(k)]
  std::int64_t n_rows = 0;
  std::int64_t k = 0;
  float scale = 0.0F;   // the one scale of the tensor
  AlignedBuffer owned;  // empty when panels lie in packing.arena
  bool in_arena = false;
};

/// The tensor as signs with one scale, if its values are exactly that: any format whose decoded values are all -s or +s
/// for one s > 0 (Q1_0 when every block agrees). nullopt if they are not, or if a row
/// is longer than 2^21.
[[nodiscard]] std::optional<BinaryMatrix> pack_binary(const TensorView& tensor, const Packing& packing = {});

}  // namespace tern::kernels
