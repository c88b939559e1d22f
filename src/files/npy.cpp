#include "files/npy.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/byte_cursor.hpp"
#include "base/checked.hpp"
#include "base/words.hpp"
#include "sys/mapped_file.hpp"

namespace tern::files {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kHeaderMultiple = 64;

std::string header_text(std::string_view descr, std::span<const std::int64_t> shape) {
  std::string tuple;
  for (const auto extent : shape) tuple += fmt::format("{}, ", extent);
  if (shape.size() > 1) tuple.resize(tuple.size() - 2);
  if (shape.size() == 1) tuple.resize(tuple.size() - 1);  // "(3,)": the comma makes it a tuple
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, tuple);
  const std::size_t unpadded = kMagic.size() + 4 + dict.size() + 1;
  dict.append((kHeaderMultiple - unpadded % kHeaderMultiple) % kHeaderMultiple, ' ');
  dict += '\n';
  std::string out(kMagic);
  out += '\1';
  out += '\0';
  out += static_cast<char>(dict.size() & 0xff);
  out += static_cast<char>(dict.size() >> 8);
  return out + dict;
}

Result<std::uint64_t> count_of(const std::string& path, std::span<const std::int64_t> shape) {
  std::uint64_t n = 1;
  for (const auto extent : shape) {
    const auto product = extent < 0 ? std::nullopt : checked_mul(n, static_cast<std::uint64_t>(extent));
    if (!product) return fail(ErrorCode::usage, "{}: a shape with extent {}, expected one that fits", path, extent);
    n = *product;
  }
  return n;
}

template <typename T>
Result<void> write_whole(const std::string& path, std::span<const std::int64_t> shape, std::span<const T> values,
                         std::string_view descr, bool overwrite) {
  TERN_TRY(const auto n, count_of(path, shape));
  if (n != values.size()) {
    return fail(ErrorCode::usage, "{}: {} values, expected {} for the shape", path, values.size(), n);
  }
  TERN_TRY(auto file, sys::AtomicFile::create(path, overwrite));
  TERN_TRY_DO(file.write(header_text(descr, shape)));
  TERN_TRY_DO(file.write(std::as_bytes(values)));
  return file.commit();
}

/// What follows `'key':` in the header's dictionary, leading spaces dropped; nullopt when the key is absent.
std::optional<std::string_view> after_key(std::string_view header, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const auto at = header.find(fmt::format("{}{}{}:", quote, key, quote));
    if (at == std::string_view::npos) continue;
    std::string_view rest = header.substr(at + key.size() + 3);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    return rest;
  }
  return std::nullopt;
}

Result<std::vector<std::int64_t>> read_shape(std::string_view header) {
  const auto rest = after_key(header, "shape");
  const auto close = rest ? rest->find(')') : std::string_view::npos;
  if (!rest || rest->empty() || rest->front() != '(' || close == std::string_view::npos) {
    return fail(ErrorCode::bad_input, "npy header has no shape");
  }
  std::vector<std::int64_t> shape;
  std::string_view list = rest->substr(1, close - 1);
  while (true) {
    while (!list.empty() && (list.front() == ' ' || list.front() == ',')) list.remove_prefix(1);
    if (list.empty()) return shape;
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(list.data(), list.data() + list.size(), extent);
    if (error != std::errc() || extent < 0 || shape.size() == 32) {
      return fail(ErrorCode::bad_input, "npy shape ({}), expected up to 32 integers of at least 0",
                  printable(rest->substr(1, close - 1)));
    }
    shape.push_back(extent);
    list.remove_prefix(static_cast<std::size_t>(end - list.data()));
  }
}

Result<NpyArray> parse_all(std::span<const std::byte> bytes) {
  ByteCursor cursor(bytes);
  TERN_TRY(const auto magic, cursor.take(kMagic.size(), "the magic"));
  if (as_text(magic) != kMagic) return fail(ErrorCode::bad_input, "not an npy file");
  TERN_TRY(const auto major, cursor.read<std::uint8_t>("the version"));
  TERN_TRY(const auto minor, cursor.read<std::uint8_t>("the version"));
  std::uint64_t header_bytes = 0;
  if (major == 1) {
    TERN_TRY(header_bytes, cursor.read<std::uint16_t>("the header length"));
  } else if (major == 2 || major == 3) {
    TERN_TRY(header_bytes, cursor.read<std::uint32_t>("the header length"));
  } else {
    return fail(ErrorCode::unsupported, "npy version {}.{}, expected 1.0 to 3.0", major, minor);
  }
  TERN_TRY(const auto header_span, cursor.take(header_bytes, "the header"));
  const std::string_view header = as_text(header_span);
  const auto descr = after_key(header, "descr");
  if (!descr || (!descr->starts_with("'<f4'") && !descr->starts_with("\"<f4\""))) {
    return fail(ErrorCode::unsupported, "npy data type {}, expected '<f4' (float32, little-endian)",
                printable(descr.value_or("missing").substr(0, 8)));
  }
  const auto order = after_key(header, "fortran_order");
  if (!order || !order->starts_with("False")) {
    return fail(ErrorCode::unsupported, "npy file in Fortran order, expected C order");
  }
  NpyArray array;
  TERN_TRY(array.shape, read_shape(header));
  TERN_TRY(const auto n, count_of("npy", array.shape));
  const auto n_bytes = checked_mul<std::uint64_t>(n, sizeof(float));
  if (!n_bytes || *n_bytes != cursor.remaining()) {
    return fail(ErrorCode::bad_input, "npy file has {} bytes of data, expected {} float32", cursor.remaining(), n);
  }
  TERN_TRY(const auto data, cursor.take(*n_bytes, "the data"));
  array.values.resize(static_cast<std::size_t>(n));
  if (!data.empty()) std::memcpy(array.values.data(), data.data(), data.size());
  return array;
}

}  // namespace

Result<void> write_npy(const std::string& path, std::span<const std::int64_t> shape, std::span<const float> values,
                       bool overwrite) {
  return write_whole(path, shape, values, "<f4", overwrite);
}

Result<void> write_npy(const std::string& path, std::span<const std::int64_t> shape,
                       std::span<const std::int32_t> values, bool overwrite) {
  return write_whole(path, shape, values, "<i4", overwrite);
}

Result<NpyWriter> NpyWriter::create(const std::string& path, std::span<const std::int64_t> shape, bool overwrite) {
  TERN_TRY(const auto n, count_of(path, shape));
  TERN_TRY(auto file, sys::AtomicFile::create(path, overwrite));
  TERN_TRY_DO(file.write(header_text("<f4", shape)));
  return NpyWriter(std::move(file), path, n);
}

Result<void> NpyWriter::write(std::span<const float> values) {
  if (values.size() > n_left_) {
    return fail(ErrorCode::usage, "{}: {} values, but only {} are left to write", path_, values.size(), n_left_);
  }
  TERN_TRY_DO(file_.write(std::as_bytes(values)));
  n_left_ -= values.size();
  return {};
}

Result<void> NpyWriter::commit() {
  if (n_left_ != 0) return fail(ErrorCode::usage, "{}: {} values are missing", path_, n_left_);
  return file_.commit();
}

Result<NpyArray> read_npy(const std::string& path) {
  TERN_TRY(const auto file, sys::MappedFile::open(path));
  return parse_npy(file.bytes(), path);
}

Result<NpyArray> parse_npy(std::span<const std::byte> bytes, std::string_view name) {
  auto array = parse_all(bytes);
  if (!array) return in_context(name, std::move(array).error());
  return array;
}

}  // namespace tern::files
