// The shape of a tensor in GGUF order: ne[0] is the row length (the fastest index), ne[1] the number of rows, ...
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"

namespace tern {

struct Shape {
  static constexpr int kMaxDims = 4;

  std::array<std::int64_t, kMaxDims> ne{1, 1, 1, 1};
  int n_dims = 1;

  /// Checks that every extent is positive and that the number of elements fits in 63 bits.
  [[nodiscard]] static Result<Shape> make(std::span<const std::int64_t> extents);

  [[nodiscard]] std::int64_t row_length() const { return ne[0]; }
  [[nodiscard]] std::int64_t n_rows() const { return ne[1] * ne[2] * ne[3]; }
  [[nodiscard]] std::int64_t n_elements() const { return ne[0] * n_rows(); }
  /// One-dimensional tensors (norms, biases) stay F32 wherever Tern chooses.
  [[nodiscard]] bool is_vector() const { return n_dims == 1; }
  /// "[2560, 6912]"
  [[nodiscard]] std::string text() const;

  bool operator==(const Shape& other) const { return ne == other.ne; }
};

/// A matrix shape [n_rows, row_length].
[[nodiscard]] inline Shape matrix_shape(std::int64_t row_length, std::int64_t n_rows) {
  return Shape{{row_length, n_rows, 1, 1}, 2};
}
[[nodiscard]] inline Shape vector_shape(std::int64_t length) {
  return Shape{{length, 1, 1, 1}, 1};
}

}  // namespace tern
