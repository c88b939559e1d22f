#include "files/safetensors_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <utility>

#include "base/checked.hpp"
#include "base/utf8.hpp"
#include "base/words.hpp"
#include "files/json.hpp"
#include "files/safetensors.hpp"

namespace tern::files {
namespace {

constexpr std::string_view kMetadataName = "__metadata__";
constexpr std::size_t kMaxDims = 8;  // as our reader takes
constexpr std::size_t kAlignment = 8;

// Widest elements first. Among equal widths the order is the reference library's list of types, read backwards.
constexpr std::array kReferenceOrder{
    Dtype::u64, Dtype::i64, Dtype::f64,     Dtype::f32,     Dtype::u32,     Dtype::i32, Dtype::bf16, Dtype::f16,
    Dtype::u16, Dtype::i16, Dtype::f8_e8m0, Dtype::f8_e4m3, Dtype::f8_e5m2, Dtype::i8,  Dtype::u8,   Dtype::boolean};

bool is_utf8(std::string_view text) {
  return utf8_valid_prefix(text) == text.size();
}

// Of valid UTF-8, which alone does not throw.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

Result<std::string> metadata_text(const SafetensorsMetadata& metadata) {
  std::string out;
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value)) {
      return fail(ErrorCode::usage, "__metadata__ key {} or its value is not UTF-8", printable(key));
    }
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", quoted(key), quoted(value));
  }
  return out;
}

}  // namespace

Result<std::uint64_t> SafetensorsTensor::n_bytes() const {
  if (shape.size() > kMaxDims) {
    return fail(ErrorCode::usage, "tensor {} has {} dimensions, expected at most {}", printable(name), shape.size(),
                kMaxDims);
  }
  std::int64_t n = static_cast<std::int64_t>(dtype_bytes(dtype));
  for (const std::int64_t extent : shape) {
    const auto product = checked_mul(n, extent);
    if (extent < 0 || !product) {
      return fail(ErrorCode::usage, "tensor {} of shape [{}] has no size that fits in 63 bits", printable(name),
                  fmt::join(shape, ", "));
    }
    n = *product;
  }
  return static_cast<std::uint64_t>(n);
}

void sort_as_reference(std::vector<SafetensorsTensor>& tensors) {
  const auto rank = [](const SafetensorsTensor& tensor) {
    return std::ranges::find(kReferenceOrder, tensor.dtype) - kReferenceOrder.begin();
  };
  std::ranges::sort(tensors, [&](const SafetensorsTensor& a, const SafetensorsTensor& b) {
    return std::pair(rank(a), std::string_view(a.name)) < std::pair(rank(b), std::string_view(b.name));
  });
}

Result<SafetensorsWriter> SafetensorsWriter::create(const std::string& path, std::vector<SafetensorsTensor> tensors,
                                                    const SafetensorsMetadata& metadata, bool overwrite) {
  TERN_TRY(const std::string pairs, metadata_text(metadata));
  std::string header = "{";
  if (!metadata.empty()) header += fmt::format("{}:{{{}}}", quoted(std::string(kMetadataName)), pairs);
  std::set<std::string_view> names;
  std::vector<std::uint64_t> begins;
  std::uint64_t at = 0;
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.name.empty() || tensor.name == kMetadataName || !is_utf8(tensor.name)) {
      return fail(ErrorCode::usage, "{}: \"{}\" is no name for a tensor", path, printable(tensor.name));
    }
    if (!names.insert(tensor.name).second)
      return fail(ErrorCode::usage, "{}: two tensors are named {}", path, printable(tensor.name));
    TERN_TRY(const std::uint64_t n_bytes, tensor.n_bytes());
    const auto end = checked_add(at, n_bytes);
    if (!end) return fail(ErrorCode::usage, "{}: the tensors need 2^64 bytes or more", path);
    header +=
        fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", header.size() == 1 ? "" : ",",
                    quoted(tensor.name), dtype_name(tensor.dtype), fmt::join(tensor.shape, ","), at, *end);
    begins.push_back(at);
    at = *end;
  }
  header += '}';
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (header.size() > SafetensorsFile::kMaxHeaderBytes) {
    return fail(ErrorCode::usage, "{}: names and metadata need a header of {} bytes, readers take at most {}", path,
                header.size(), SafetensorsFile::kMaxHeaderBytes);
  }

  TERN_TRY(sys::AtomicFile file, sys::AtomicFile::create(path, overwrite));
  SafetensorsWriter writer(std::move(file), path, std::move(tensors));
  static_assert(std::endian::native == std::endian::little, "the length is stored little-endian");
  const auto length = std::bit_cast<std::array<std::byte, 8>>(static_cast<std::uint64_t>(header.size()));
  TERN_TRY_DO(writer.file_.write(length));
  TERN_TRY_DO(writer.file_.write(header));
  writer.begins_ = std::move(begins);
  writer.header_bytes_ = length.size() + header.size();
  writer.data_bytes_ = at;
  return writer;
}

Result<void> SafetensorsWriter::begin_tensor(std::size_t index) const {
  if (index >= tensors_.size())
    return fail(ErrorCode::usage, "{}: tensor {} of {} begun", path_, index, tensors_.size());
  const std::uint64_t done = file_.position() - header_bytes_;
  if (done == begins_[index]) return {};
  return fail(ErrorCode::usage, "{}: tensor {} begins at byte {} of the data, but {} were written", path_,
              printable(tensors_[index].name), begins_[index], done);
}

Result<void> SafetensorsWriter::write(std::span<const std::byte> bytes) {
  const std::uint64_t left = file_bytes() - file_.position();
  if (bytes.size() > left) {
    return fail(ErrorCode::usage, "{}: {} bytes written, but the tensors have only {} left", path_, bytes.size(), left);
  }
  return file_.write(bytes);
}

Result<void> SafetensorsWriter::seal() {
  const std::uint64_t left = file_bytes() - file_.position();
  if (left != 0) return fail(ErrorCode::usage, "{}: {} bytes of tensors were not written", path_, left);
  return file_.seal();
}

Result<void> SafetensorsWriter::publish() {
  return file_.publish();
}

Result<void> SafetensorsWriter::commit() {
  TERN_TRY_DO(seal());
  return publish();
}

}  // namespace tern::files
