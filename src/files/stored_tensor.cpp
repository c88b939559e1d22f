#include "files/stored_tensor.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/half.hpp"
#include "base/words.hpp"

namespace tern::files {
namespace {

struct DtypeRow {
  Dtype dtype;
  std::string_view name;
  std::uint64_t n_bytes;
};

constexpr std::array kDtypes{
    DtypeRow{Dtype::f64, "F64", 8},         DtypeRow{Dtype::f32, "F32", 4},
    DtypeRow{Dtype::f16, "F16", 2},         DtypeRow{Dtype::bf16, "BF16", 2},
    DtypeRow{Dtype::i64, "I64", 8},         DtypeRow{Dtype::i32, "I32", 4},
    DtypeRow{Dtype::i16, "I16", 2},         DtypeRow{Dtype::i8, "I8", 1},
    DtypeRow{Dtype::u64, "U64", 8},         DtypeRow{Dtype::u32, "U32", 4},
    DtypeRow{Dtype::u16, "U16", 2},         DtypeRow{Dtype::u8, "U8", 1},
    DtypeRow{Dtype::boolean, "BOOL", 1},    DtypeRow{Dtype::f8_e4m3, "F8_E4M3", 1},
    DtypeRow{Dtype::f8_e5m2, "F8_E5M2", 1}, DtypeRow{Dtype::f8_e8m0, "F8_E8M0", 1},
};

const DtypeRow& row_of(Dtype dtype) {
  const auto* row = std::ranges::find(kDtypes, dtype, &DtypeRow::dtype);
  TERN_CHECK(row != kDtypes.end());
  return *row;
}

template <typename Stored, typename Convert>
void convert(std::span<const std::byte> bytes, std::span<float> out, Convert&& to_float) {
  for (std::size_t i = 0; i < out.size(); ++i) {  // memcpy: nothing aligns the data section of this format
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = to_float(stored);
  }
}

/// `bytes` holds out.size() elements one after the other.
Result<void> elements_to_f32(const StoredTensor& tensor, std::span<const std::byte> bytes, std::span<float> out) {
  switch (tensor.dtype) {
    case Dtype::f64:
      convert<double>(bytes, out, [](double v) { return static_cast<float>(v); });
      return {};
    case Dtype::f32:
      convert<float>(bytes, out, [](float v) { return v; });
      return {};
    case Dtype::f16:
      convert<std::uint16_t>(bytes, out, [](std::uint16_t v) { return fp16_to_fp32(v); });
      return {};
    case Dtype::bf16:
      convert<std::uint16_t>(bytes, out, [](std::uint16_t v) { return bf16_to_fp32(v); });
      return {};
    default:
      return fail(ErrorCode::unsupported, "tensor {} holds {}, expected F32, F16, BF16 or F64", printable(tensor.name),
                  dtype_name(tensor.dtype));
  }
}

/// Where a row's first element stands, in elements after the tensor's first.
std::int64_t row_offset(const StoredTensor& tensor, std::int64_t row) {
  std::int64_t offset = 0;
  for (std::size_t i = tensor.shape.size() - 1; i-- > 0;) {
    offset += row % tensor.shape[i] * tensor.strides[i];
    row /= tensor.shape[i];
  }
  return offset;
}

}  // namespace

std::optional<Dtype> dtype_by_name(std::string_view name) {
  const auto* row = std::ranges::find(kDtypes, name, &DtypeRow::name);
  if (row == kDtypes.end()) return std::nullopt;
  return row->dtype;
}

std::string_view dtype_name(Dtype dtype) {
  return row_of(dtype).name;
}
std::uint64_t dtype_bytes(Dtype dtype) {
  return row_of(dtype).n_bytes;
}

std::int64_t StoredTensor::n_elements() const {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

std::int64_t StoredTensor::n_rows() const {
  std::int64_t n = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) n *= shape[i];
  return n;
}

Result<Shape> StoredTensor::gguf_shape() const {
  std::vector<std::int64_t> extents(shape.rbegin(), shape.rend());
  if (extents.empty()) extents.push_back(1);
  auto made = Shape::make(extents);
  if (!made) return in_context(fmt::format("tensor {}", printable(name)), std::move(made).error());
  return made;
}

std::string StoredTensor::shape_text() const {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<void> rows_to_f32(const StoredTensor& tensor, std::int64_t first_row, std::int64_t n_rows,
                         std::span<float> out) {
  const std::int64_t row_length = tensor.row_length();
  if (first_row < 0 || n_rows < 0 || first_row > tensor.n_rows() || n_rows > tensor.n_rows() - first_row ||
      out.size() != static_cast<std::size_t>(n_rows * row_length)) {
    return fail(ErrorCode::usage, "tensor {}: rows {} + {} of {} into {} floats", printable(tensor.name), first_row,
                n_rows, tensor.n_rows(), out.size());
  }
  if (tensor.is_contiguous()) {
    const auto element_bytes = dtype_bytes(tensor.dtype);
    const auto begin = static_cast<std::size_t>(first_row * row_length) * element_bytes;
    return elements_to_f32(tensor, tensor.bytes.subspan(begin, out.size() * element_bytes), out);
  }
  std::vector<std::byte> buffer;
  const auto k = static_cast<std::size_t>(row_length);
  for (std::int64_t r = 0; r < n_rows; ++r) {
    TERN_TRY_DO(elements_to_f32(tensor, row_bytes(tensor, first_row + r, buffer),
                                out.subspan(static_cast<std::size_t>(r) * k, k)));
  }
  return {};
}

Result<std::vector<float>> to_f32(const StoredTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.n_elements()));
  TERN_TRY_DO(rows_to_f32(tensor, 0, tensor.n_rows(), values));
  return values;
}

std::span<const std::byte> row_bytes(const StoredTensor& tensor, std::int64_t row, std::vector<std::byte>& buffer) {
  TERN_CHECK(row >= 0 && row < tensor.n_rows());
  const std::size_t n_bytes = dtype_bytes(tensor.dtype);
  const auto k = static_cast<std::size_t>(tensor.row_length());
  if (tensor.is_contiguous()) return tensor.bytes.subspan(static_cast<std::size_t>(row) * k * n_bytes, k * n_bytes);
  buffer.resize(k * n_bytes);
  const auto step = static_cast<std::size_t>(tensor.strides.back()) * n_bytes;
  const std::byte* from = tensor.bytes.data() + static_cast<std::size_t>(row_offset(tensor, row)) * n_bytes;
  for (std::size_t i = 0; i < k; ++i) std::memcpy(buffer.data() + i * n_bytes, from + i * step, n_bytes);
  return buffer;
}

}  // namespace tern::files
