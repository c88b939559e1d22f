#include "files/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "base/byte_cursor.hpp"
#include "base/checked.hpp"
#include "base/half.hpp"
#include "base/words.hpp"
#include "files/json.hpp"

namespace tern::files {
namespace {

using nlohmann::json;

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

constexpr std::size_t kMaxDims = 8;  // real checkpoints have at most 5 (convolutions)

/// A non-negative integer field; doubles such as 1e3 are not integers here.
std::optional<std::uint64_t> as_count(const json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

Result<void> read_shape(const json& entry, SafeTensor& tensor) {
  const auto found = entry.find("shape");
  if (found == entry.end() || !found->is_array()) {
    return fail(ErrorCode::bad_input, "has no \"shape\" array");
  }
  if (found->size() > kMaxDims) {
    return fail(ErrorCode::unsupported, "{} dimensions, expected at most {}", found->size(), kMaxDims);
  }
  std::int64_t n_elements = 1;
  for (const auto& extent : *found) {
    const auto count = as_count(extent);
    if (!count || !std::in_range<std::int64_t>(*count)) {
      return fail(ErrorCode::bad_input, "\"shape\" holds {}, expected integers of at least 0",
                  printable(extent.dump(-1, ' ', true, json::error_handler_t::replace)));
    }
    tensor.shape.push_back(static_cast<std::int64_t>(*count));
    const auto product = checked_mul(n_elements, tensor.shape.back());
    if (!product) return fail(ErrorCode::bad_input, "the product of \"shape\" does not fit in 63 bits");
    n_elements = *product;
  }
  return {};
}

/// `data` is everything after the header.
Result<void> read_entry(const json& entry, std::span<const std::byte> data, SafeTensor& tensor) {
  if (!entry.is_object()) return fail(ErrorCode::bad_input, "is not a JSON object");
  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) return fail(ErrorCode::bad_input, "has no \"dtype\" string");
  const auto& dtype_text = dtype->get_ref<const std::string&>();
  const auto* row = std::ranges::find(kDtypes, std::string_view(dtype_text), &DtypeRow::name);
  if (row == kDtypes.end()) {
    return fail(ErrorCode::unsupported, "dtype \"{}\" is unknown, expected F32, F16, BF16, U8, I8, ...",
                printable(dtype_text));
  }
  tensor.dtype = row->dtype;
  TERN_TRY_DO(read_shape(entry, tensor));
  const auto offsets = entry.find("data_offsets");
  if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2) {
    return fail(ErrorCode::bad_input, "has no \"data_offsets\" array of two integers");
  }
  const auto begin = as_count((*offsets)[0]);
  const auto end = as_count((*offsets)[1]);
  if (!begin || !end || *begin > *end) {
    return fail(ErrorCode::bad_input, "\"data_offsets\" is not [begin, end] with 0 <= begin <= end");
  }
  if (*end > data.size()) {
    return fail(ErrorCode::bad_input,
                "truncated: its bytes end at {} of the data, which has {}: the file is incomplete, get it again", *end,
                data.size());
  }
  const auto wanted = checked_mul(static_cast<std::uint64_t>(tensor.n_elements()), row->n_bytes);
  if (!wanted || *wanted != *end - *begin) {
    return fail(ErrorCode::bad_input, "{} {} needs {} bytes, \"data_offsets\" gives {}", row->name, tensor.shape_text(),
                wanted ? fmt::format("{}", *wanted) : "2^64 or more", *end - *begin);
  }
  tensor.bytes = data.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(*end - *begin));
  return {};
}

template <typename Stored, typename Convert>
void convert(std::span<const std::byte> bytes, std::span<float> out, Convert&& to_float) {
  for (std::size_t i = 0; i < out.size(); ++i) {  // memcpy: nothing aligns the data section of this format
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = to_float(stored);
  }
}

}  // namespace

std::string_view dtype_name(Dtype dtype) {
  return row_of(dtype).name;
}
std::uint64_t dtype_bytes(Dtype dtype) {
  return row_of(dtype).n_bytes;
}

std::int64_t SafeTensor::n_elements() const {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

std::int64_t SafeTensor::n_rows() const {
  std::int64_t n = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) n *= shape[i];
  return n;
}

Result<Shape> SafeTensor::gguf_shape() const {
  std::vector<std::int64_t> extents(shape.rbegin(), shape.rend());
  if (extents.empty()) extents.push_back(1);
  auto made = Shape::make(extents);
  if (!made) return in_context(fmt::format("tensor {}", printable(name)), std::move(made).error());
  return made;
}

std::string SafeTensor::shape_text() const {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<void> rows_to_f32(const SafeTensor& tensor, std::int64_t first_row, std::int64_t n_rows, std::span<float> out) {
  const std::int64_t row_length = tensor.row_length();
  if (first_row < 0 || n_rows < 0 || first_row > tensor.n_rows() || n_rows > tensor.n_rows() - first_row ||
      out.size() != static_cast<std::size_t>(n_rows * row_length)) {
    return fail(ErrorCode::usage, "tensor {}: rows {} + {} of {} into {} floats", printable(tensor.name), first_row,
                n_rows, tensor.n_rows(), out.size());
  }
  const auto element_bytes = dtype_bytes(tensor.dtype);
  const auto bytes = tensor.bytes.subspan(static_cast<std::size_t>(first_row * row_length) * element_bytes,
                                          out.size() * element_bytes);
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

Result<std::vector<float>> to_f32(const SafeTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.n_elements()));
  TERN_TRY_DO(rows_to_f32(tensor, 0, tensor.n_rows(), values));
  return values;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  TERN_TRY(auto mapped, sys::MappedFile::open(path));
  SafetensorsFile file;
  file.file_ = std::move(mapped);
  file.bytes_ = file.file_.bytes();
  file.name_ = path;
  if (auto read = file.read_all(); !read) return in_context(path, std::move(read).error());
  return file;
}

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes, std::string_view name) {
  SafetensorsFile file;
  file.bytes_ = bytes;
  file.name_ = name;
  if (auto read = file.read_all(); !read) return in_context(name, std::move(read).error());
  return file;
}

Result<void> SafetensorsFile::read_all() {
  ByteCursor cursor(bytes_);
  TERN_TRY(const auto header_bytes, cursor.read<std::uint64_t>("the header length"));
  if (header_bytes > kMaxHeaderBytes) {
    return fail(ErrorCode::bad_input, "header of {} bytes, expected at most {}: not a safetensors file?", header_bytes,
                kMaxHeaderBytes);
  }
  TERN_TRY(const auto header, cursor.take(header_bytes, "the header"));
  constexpr int kDepth = 4;  // object -> tensor -> array -> number, and one to spare
  TERN_TRY(const json root, parse_json(header, "header", kDepth));
  if (!root.is_object()) return fail(ErrorCode::bad_input, "header: expected a JSON object");
  const auto data = bytes_.subspan(cursor.position());

  for (const auto& [key, entry] : root.items()) {
    if (key == "__metadata__") {
      if (!entry.is_object()) return fail(ErrorCode::bad_input, "__metadata__ is not a JSON object");
      for (const auto& [name, text] : entry.items()) {
        if (!text.is_string()) {
          return fail(ErrorCode::bad_input, "__metadata__ key {} is not a string", printable(name));
        }
        metadata_.emplace(name, text.get_ref<const std::string&>());
      }
      continue;
    }
    SafeTensor tensor;
    tensor.name = key;
    if (auto read = read_entry(entry, data, tensor); !read) {
      return in_context(fmt::format("tensor {}", printable(key)), std::move(read).error());
    }
    tensors_.push_back(std::move(tensor));
  }

  std::ranges::sort(tensors_, {}, [](const SafeTensor& tensor) {
    return std::tuple(tensor.bytes.data(), tensor.bytes.size(), std::string_view(tensor.name));
  });
  const SafeTensor* previous = nullptr;  // the last one with bytes
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const SafeTensor& tensor = tensors_[i];
    places_.emplace(tensor.name, i);
    if (tensor.bytes.empty()) continue;
    if (previous != nullptr && previous->bytes.data() + previous->bytes.size() > tensor.bytes.data()) {
      return fail(ErrorCode::bad_input, "tensors {} and {} overlap in the file", printable(previous->name),
                  printable(tensor.name));
    }
    previous = &tensor;
  }
  return {};
}

const SafeTensor* SafetensorsFile::find(std::string_view tensor_name) const {
  const auto place = places_.find(tensor_name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

void SafetensorsFile::release(std::span<const std::byte> bytes) const {
  const auto all = file_.bytes();
  if (bytes.empty() || bytes.data() < all.data() || bytes.data() + bytes.size() > all.data() + all.size()) return;
  file_.release(static_cast<std::size_t>(bytes.data() - all.data()), bytes.size());
}

}  // namespace tern::files
