// A factor of a matrix product, as every library here takes it.
#pragma once

#include <cstdint>

namespace tern::linalg {

/// A row-major matrix in memory, or its transpose.
struct Operand {
  const float* data;
  std::int64_t stride;      // floats from one stored row to the next
  bool transposed = false;  // the product reads the stored matrix with rows and columns exchanged
};

}  // namespace tern::linalg
