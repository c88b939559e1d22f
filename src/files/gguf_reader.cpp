#include "files/gguf_reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "base/byte_cursor.hpp"
#include "base/checked.hpp"
#include "base/foreign_content.hpp"
#include "base/words.hpp"
#include "files/gguf_layout.hpp"
#include "files/gguf_value.hpp"
#include "formats/all.hpp"

namespace tern::files {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 65535;
// The fewest bytes a record can take: key length, one byte of key, type, one byte of value; and name length, one byte
// of name, number of dimensions, one dimension, type, offset.
constexpr std::uint64_t kMinKeyValueBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

Result<std::uint32_t> read_version(ByteCursor& cursor) {
  if (cursor.remaining() < 4) {
    return fail(ErrorCode::bad_input, "{} bytes, expected a GGUF file (at least 24 bytes)", cursor.remaining());
  }
  TERN_TRY(const auto magic, cursor.take(4, "the magic"));
  if (as_text(magic) != "GGUF") {
    return fail(ErrorCode::bad_input, "begins with \"{}\", expected \"GGUF\": not a GGUF file",
                printable(as_text(magic)));
  }
  TERN_TRY(const auto version, cursor.read<std::uint32_t>("the version"));
  if (version == 2 || version == 3) return version;
  if (version != 0 && (version & 0xffffU) == 0) {
    return fail(ErrorCode::unsupported, "big-endian GGUF (version {}), expected little-endian: convert it first",
                std::byteswap(version));
  }
  if (version == 1) {
    return fail(ErrorCode::unsupported, "GGUF version 1, expected 2 or 3: convert the original model again");
  }
  return fail(ErrorCode::unsupported, "GGUF version {}, expected 2 or 3", version);
}

Result<std::uint64_t> read_count(ByteCursor& cursor, std::string_view what) {
  TERN_TRY(const auto count, cursor.read<std::uint64_t>(what));
  return count;
}

Result<void> check_count(const ByteCursor& cursor, std::uint64_t count, std::uint64_t min_bytes,
                         std::string_view what) {
  if (count > cursor.remaining() / min_bytes) {
    return fail(ErrorCode::bad_input, "truncated: {} {} announced, but only {} bytes are left after byte {}", count,
                what, cursor.remaining(), cursor.position());
  }
  return {};
}

Result<Metadata> read_metadata(ByteCursor& cursor, std::uint64_t n_pairs) {
  TERN_TRY_DO(check_count(cursor, n_pairs, kMinKeyValueBytes, "metadata keys"));
  Metadata metadata;
  GgufValueReader values(cursor);
  for (std::uint64_t i = 0; i < n_pairs; ++i) {
    const std::string what = fmt::format("metadata key {} of {}", i + 1, n_pairs);
    TERN_TRY(const auto key, read_gguf_string(cursor, what, kMaxKeyBytes));
    if (key.empty()) return fail(ErrorCode::bad_input, "{} is empty, expected a name", what);
    if (metadata.contains(key)) {
      return fail(ErrorCode::bad_input, "metadata key {} is there twice, expected once", printable(key));
    }
    auto value = values.read();
    if (!value) return in_context(fmt::format("metadata key {}", printable(key)), std::move(value).error());
    metadata.set(key, *std::move(value));
  }
  return metadata;
}

/// Everything after the name. The offset is still relative to the data section.
Result<void> read_tensor_record(ByteCursor& cursor, GgufTensor& tensor) {
  TERN_TRY(const auto n_dims, cursor.read<std::uint32_t>("the number of dimensions"));
  if (n_dims < 1 || n_dims > Shape::kMaxDims) {
    return fail(ErrorCode::bad_input, "{} dimensions, expected 1 to {}", n_dims, Shape::kMaxDims);
  }
  std::array<std::int64_t, Shape::kMaxDims> extents{};
  for (std::uint32_t i = 0; i < n_dims; ++i) {
    TERN_TRY(extents[i], cursor.read<std::int64_t>("a dimension"));
  }
  TERN_TRY(tensor.shape, Shape::make(std::span(extents).first(n_dims)));
  TERN_TRY(tensor.type_id, cursor.read<std::uint32_t>("the type"));
  TERN_TRY(tensor.offset, cursor.read<std::uint64_t>("the offset"));
  return {};
}

/// Finds format and size of a tensor that has `stored_bytes` up to the next one (or the end of the file).
Result<void> identify_tensor(GgufTensor& tensor, std::uint64_t stored_bytes, const GgufTensor* next,
                             std::uint64_t alignment, std::string_view architecture) {
  tensor.n_bytes = stored_bytes;
  auto format = formats::identify(tensor.type_id, tensor.shape, stored_bytes, alignment, architecture);
  if (!format && format.error().code == ErrorCode::unsupported) {  // somebody else's type: kept, with its name
    tensor.unsupported_reason = std::move(format).error().message;
    return {};
  }
  if (format) {
    TERN_TRY(tensor.n_bytes, formats::tensor_bytes(**format, tensor.shape));
    if (tensor.n_bytes <= stored_bytes) {
      tensor.format = *format;
      return {};
    }
  }
  // Ours, but with too few bytes: say which of the two ways that happens.
  for (const formats::Format* known : formats::kAll) {
    if (known->gguf_id != tensor.type_id) continue;
    const auto wanted = formats::tensor_bytes(*known, tensor.shape);
    if (!wanted || *wanted <= stored_bytes) continue;
    if (next != nullptr) {
      return fail(ErrorCode::bad_input, "{} {} needs {} bytes, but tensor {} begins after {}: they overlap",
                  known->name, tensor.shape.text(), *wanted, printable(next->name), stored_bytes);
    }
    return fail(ErrorCode::bad_input,
                "truncated: {} {} needs {} bytes at byte {}, only {} are left: the file is incomplete, get it again",
                known->name, tensor.shape.text(), *wanted, tensor.offset, stored_bytes);
  }
  if (format) {
    return fail(ErrorCode::bad_input, "{} {} needs {} bytes, only {} are stored", (*format)->name, tensor.shape.text(),
                tensor.n_bytes, stored_bytes);
  }
  return std::unexpected(std::move(format).error());
}

}  // namespace

bool GgufFile::looks_like(std::span<const std::byte> bytes) {
  return as_text(bytes).starts_with("GGUF");
}

Result<GgufFile> GgufFile::open(const std::string& path) {
  if (sys::is_directory(path)) {
    return fail(ErrorCode::bad_input, "{}: is a folder, expected a GGUF file; tern convert makes one of a checkpoint",
                path);
  }
  TERN_TRY(auto mapped, sys::MappedFile::open(path));
  const auto bytes = mapped.bytes();
  TERN_TRY(GgufFile file, read_one({path, std::move(mapped), bytes}));
  const auto place = split_place(file.metadata_);
  if (!place) return in_context(path, place.error());
  if (place->count > 1) return open_parts(std::move(file), *place);
  if (auto placed = file.place_tensors(file.architecture_); !placed) return in_context(path, std::move(placed).error());
  return file;
}

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, std::string_view name) {
  TERN_TRY(GgufFile file, read_one({std::string(name), {}, bytes}));
  if (auto placed = file.place_tensors(file.architecture_); !placed) return in_context(name, std::move(placed).error());
  return file;
}

Result<GgufFile> GgufFile::read_one(GgufPart part) {
  GgufFile file;
  file.name_ = part.path;
  file.parts_.push_back(std::move(part));
  if (auto read = file.read_header(); !read) return in_context(file.name_, std::move(read).error());
  return file;
}

Result<void> GgufFile::read_header() {
  if (const auto what = foreign_content(parts_.front().bytes); !what.empty())
    return fail(ErrorCode::bad_input, "is {}", what);
  ByteCursor cursor(parts_.front().bytes);
  TERN_TRY(version_, read_version(cursor));
  TERN_TRY(const auto n_tensors, read_count(cursor, "the number of tensors"));
  TERN_TRY(const auto n_pairs, read_count(cursor, "the number of metadata keys"));
  TERN_TRY(metadata_, read_metadata(cursor, n_pairs));
  TERN_TRY(alignment_, gguf_alignment(metadata_));
  TERN_TRY(auto architecture, metadata_.optional_string("general.architecture"));
  architecture_ = architecture.value_or("");

  TERN_TRY_DO(check_count(cursor, n_tensors, kMinTensorBytes, "tensors"));
  for (std::uint64_t i = 0; i < n_tensors; ++i) {
    const std::string what = fmt::format("the name of tensor {} of {}", i + 1, n_tensors);
    TERN_TRY(const auto name, read_gguf_string(cursor, what, kMaxKeyBytes));
    if (name.empty()) return fail(ErrorCode::bad_input, "{} is empty", what);
    GgufTensor tensor;
    tensor.name = name;
    if (auto read = read_tensor_record(cursor, tensor); !read) {
      return in_context(fmt::format("tensor {}", printable(name)), std::move(read).error());
    }
    if (!places_.emplace(tensor.name, tensors_.size()).second) {
      return fail(ErrorCode::bad_input, "tensor {} is there twice, expected once", printable(name));
    }
    tensors_.push_back(std::move(tensor));
  }
  parts_.front().n_tensors = tensors_.size();
  header_bytes_ = cursor.position();
  return {};
}

Result<void> GgufFile::place_tensors(std::string_view architecture) {
  if (tensors_.empty()) return {};  // a file of vocabulary alone need not be padded
  const std::uint64_t end = parts_.front().bytes.size();
  const auto data_start = checked_align_up(header_bytes_, alignment_);
  if (!data_start || *data_start >= end) {
    return fail(ErrorCode::bad_input, "truncated: {} tensors, but no byte follows the {} bytes of the header",
                tensors_.size(), header_bytes_);
  }
  for (GgufTensor& tensor : tensors_) {
    const auto absolute = checked_add(*data_start, tensor.offset);
    if (tensor.offset % alignment_ != 0) {
      return fail(ErrorCode::bad_input, "tensor {}: offset {}, expected a multiple of the alignment {}",
                  printable(tensor.name), tensor.offset, alignment_);
    }
    if (!absolute || *absolute >= end) {
      return fail(ErrorCode::bad_input,
                  "tensor {}: begins {} bytes into the data, which has {}: the file is incomplete, get it again",
                  printable(tensor.name), tensor.offset, end - *data_start);
    }
    tensor.offset = *absolute;
  }
  // Tensors may be stored in any order; the next in the file, not in the list, bounds a tensor's bytes.
  std::vector<std::size_t> order(tensors_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(tensors_[i].offset, i); });
  for (std::size_t k = 0; k < order.size(); ++k) {
    GgufTensor& tensor = tensors_[order[k]];
    const GgufTensor* next = k + 1 < order.size() ? &tensors_[order[k + 1]] : nullptr;
    const std::uint64_t stored_bytes = (next != nullptr ? next->offset : end) - tensor.offset;
    if (stored_bytes == 0) {
      return fail(ErrorCode::bad_input, "tensors {} and {} begin at the same byte {}: they overlap",
                  printable(tensor.name), printable(next->name), tensor.offset);
    }
    auto identified = identify_tensor(tensor, stored_bytes, next, alignment_, architecture);
    if (!identified) return in_context(fmt::format("tensor {}", printable(tensor.name)), identified.error());
  }
  return {};
}

std::uint64_t GgufFile::file_bytes() const {
  std::uint64_t total = 0;
  for (const GgufPart& part : parts_) total += part.bytes.size();
  return total;
}

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

std::span<const std::byte> GgufFile::bytes(const GgufTensor& tensor) const {
  return parts_[tensor.part].bytes.subspan(static_cast<std::size_t>(tensor.offset),
                                           static_cast<std::size_t>(tensor.n_bytes));
}

TensorView GgufFile::view(const GgufTensor& tensor) const {
  TERN_CHECK(tensor.format != nullptr);
  return {tensor.name, tensor.shape, tensor.format, bytes(tensor)};
}

void GgufFile::release(std::span<const std::byte> bytes) const {
  for (const auto& part : parts_) part.file.release(bytes);
}

void GgufFile::release(const GgufTensor& tensor) const {
  parts_[tensor.part].file.release(bytes(tensor));
}

}  // namespace tern::files
