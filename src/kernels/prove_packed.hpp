// Proofs of exact products with packed weights, a part of prove(): inside this folder only.
#pragma once

#include "kernels/kernels.hpp"

namespace tern::kernels {

/// A proof of what must be the same to the bit.
[[nodiscard]] inline Proof identical(std::string kernel, bool passed) {
  return {std::move(kernel), passed, passed ? "bit-identical" : "differs from the scalar set"};
}

/// Of the set's own function, which must be there.
[[nodiscard]] Proof prove_ternary(const KernelSet& set);
[[nodiscard]] Proof prove_ternary_tables(const KernelSet& set);
[[nodiscard]] Proof prove_ternary_panels(const KernelSet& set);
[[nodiscard]] Proof prove_ternary_taken(const KernelSet& set);
[[nodiscard]] Proof prove_binary(const KernelSet& set);

}  // namespace tern::kernels
