// A tensor of any checkpoint, as its file stores it: name, element type, extents, strides, bytes. Every reader of
// checkpoints makes these, so that who converts a tensor need not know what file it came from.
// Extents here are as stored: row-major, outermost first ([rows, columns]), unlike tern::Shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace tern::files {

enum class Dtype : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0
};

/// "F32", "BF16", "F8_E4M3", ...: the spelling of safetensors.
[[nodiscard]] std::string_view dtype_name(Dtype dtype);
/// Bytes of one element.
[[nodiscard]] std::uint64_t dtype_bytes(Dtype dtype);
/// By that spelling; nullopt when there is none of that name.
[[nodiscard]] std::optional<Dtype> dtype_by_name(std::string_view name);

struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // outermost first; empty for a scalar; an extent may be 0
  /// From the first element to the end of the last one.
  std::span<const std::byte> bytes;
  /// Distance of neighbours along each extent, in elements; empty where the elements lie in row-major order. A reader
  /// has checked that every element is within `bytes`.
  std::vector<std::int64_t> strides = {};

  [[nodiscard]] std::int64_t n_elements() const;
  /// The last extent (1 for a scalar) and the product of the others.
  [[nodiscard]] std::int64_t row_length() const { return shape.empty() ? 1 : shape.back(); }
  [[nodiscard]] std::int64_t n_rows() const;
  [[nodiscard]] bool is_contiguous() const { return strides.empty(); }
  /// The same extents in tern's order (row length first). Errors: more than 4 dimensions, an extent of 0.
  [[nodiscard]] Result<Shape> gguf_shape() const;
  /// "[6912, 2560]" as stored.
  [[nodiscard]] std::string shape_text() const;
};

/// Converts rows [first_row, first_row + n_rows) of an F64, F32, F16 or BF16 tensor into `out` [n_rows * row_length].
/// F64 is rounded to nearest. Errors: unsupported for other dtypes, naming the tensor; usage for a wrong range or size.
[[nodiscard]] Result<void> rows_to_f32(const StoredTensor& tensor, std::int64_t first_row, std::int64_t n_rows,
                                       std::span<float> out);
/// A whole tensor; the caller has checked that it fits in memory.
[[nodiscard]] Result<std::vector<float>> to_f32(const StoredTensor& tensor);

/// The stored bytes of one row (row < n_rows), one element after the other. `buffer` holds them where they do not lie
/// so in the file.
[[nodiscard]] std::span<const std::byte> row_bytes(const StoredTensor& tensor, std::int64_t row,
                                                   std::vector<std::byte>& buffer);

}  // namespace tern::files
