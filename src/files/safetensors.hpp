// Reads one .safetensors file, mapped: an 8-byte header length, a JSON header, then the tensors' bytes.
// Shapes here are as stored: row-major, outermost extent first ([rows, columns]), unlike tern::Shape.
// Source: the safetensors format description.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sys/mapped_file.hpp"
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

/// The spelling of the format: "F32", "BF16", "F8_E4M3", ...
[[nodiscard]] std::string_view dtype_name(Dtype dtype);
/// Bytes of one element.
[[nodiscard]] std::uint64_t dtype_bytes(Dtype dtype);

struct SafeTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // outermost first; empty for a scalar; an extent may be 0
  std::span<const std::byte> bytes;

  [[nodiscard]] std::int64_t n_elements() const;
  /// The last extent (1 for a scalar) and the product of the others.
  [[nodiscard]] std::int64_t row_length() const { return shape.empty() ? 1 : shape.back(); }
  [[nodiscard]] std::int64_t n_rows() const;
  /// The same extents in tern's order (row length first). Errors: more than 4 dimensions, an extent of 0.
  [[nodiscard]] Result<Shape> gguf_shape() const;
  /// "[6912, 2560]" as stored.
  [[nodiscard]] std::string shape_text() const;
};

/// Converts rows [first_row, first_row + n_rows) of an F64, F32, F16 or BF16 tensor into `out` [n_rows * row_length].
/// F64 is rounded to nearest. Errors: unsupported for other dtypes, naming the tensor; usage for a wrong range or size.
[[nodiscard]] Result<void> rows_to_f32(const SafeTensor& tensor, std::int64_t first_row, std::int64_t n_rows,
                                       std::span<float> out);
/// A whole tensor; the caller has checked that it fits in memory.
[[nodiscard]] Result<std::vector<float>> to_f32(const SafeTensor& tensor);

class SafetensorsFile {
 public:
  static constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

  [[nodiscard]] static Result<SafetensorsFile> open(const std::string& path);
  /// Over borrowed bytes, which must outlive the object.
  [[nodiscard]] static Result<SafetensorsFile> parse(std::span<const std::byte> bytes, std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// In the order of their bytes.
  [[nodiscard]] std::span<const SafeTensor> tensors() const { return tensors_; }
  /// Null when absent.
  [[nodiscard]] const SafeTensor* find(std::string_view tensor_name) const;
  /// The "__metadata__" object.
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  /// Tells the system that these bytes (part of a tensor of this file) are not needed soon.
  void release(std::span<const std::byte> bytes) const;

 private:
  SafetensorsFile() = default;
  [[nodiscard]] Result<void> read_all();

  sys::MappedFile file_;
  std::span<const std::byte> bytes_;
  std::string name_;
  std::vector<SafeTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace tern::files
