// The packed layout of ternary weights in memory: two bits a weight, codes 0, 1, 2 for -1, 0, +1.
//
// A row is padded with code 1 (zero) to a multiple of 128 columns. Each group of 128 columns is 32 bytes:
// byte p (0..31) = c[p] << 6 | c[32 + p] << 4 | c[64 + p] << 2 | c[96 + p]. For rows that divide by 128 this is also
// how an I2_S file holds them, so such tensors need no packing at all: the mapped bytes are used as they are.
#pragma once

#include <cstdint>
#include <optional>

#include "formats/format.hpp"
#include "kernels/packing.hpp"
#include "tensor/aligned_buffer.hpp"
#include "tensor/view.hpp"

namespace tern::kernels {

inline constexpr std::int64_t kTernaryGroup = 128;

[[nodiscard]] constexpr std::int64_t ternary_padded(std::int64_t k) {
  return (k + kTernaryGroup - 1) / kTernaryGroup * kTernaryGroup;
}

struct TernaryMatrix {
  const std::uint8_t* codes = nullptr;  // [n_rows, k_padded / 4]
  std::int64_t n_rows = 0;
  std::int64_t k = 0;
  std::int64_t k_padded = 0;
  float scale = 0.0F;   // the one scale of the tensor
  AlignedBuffer owned;  // empty when codes lie in the mapped file, or in packing.arena
  bool in_arena = false;
};

/// The tensor as ternary codes with one scale, if its values are exactly that: any format whose decoded values are all
/// -s, 0 or +s for one s (I2_S always; TQ1_0, TQ2_0, Q2_0, Q1_0 when every block agrees). nullopt if they are not.
[[nodiscard]] std::optional<TernaryMatrix> pack_ternary(const TensorView& tensor, const Packing& packing = {});

}  // namespace tern::kernels
