#include "files/safetensors.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/byte_cursor.hpp"
#include "base/checked.hpp"
#include "base/words.hpp"
#include "files/checkpoint.hpp"
#include "files/json.hpp"
#include "files/weight_transform.hpp"

namespace tern::files {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDims = 8;  // real checkpoints have at most 5 (convolutions)

/// A non-negative integer field; doubles such as 1e3 are not integers here.
std::optional<std::uint64_t> as_count(const json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

Result<void> read_shape(const json& entry, StoredTensor& tensor) {
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
Result<void> read_entry(const json& entry, std::span<const std::byte> data, StoredTensor& tensor) {
  if (!entry.is_object()) return fail(ErrorCode::bad_input, "is not a JSON object");
  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) return fail(ErrorCode::bad_input, "has no \"dtype\" string");
  const auto& dtype_text = dtype->get_ref<const std::string&>();
  const auto known = dtype_by_name(dtype_text);
  if (!known) {
    return fail(ErrorCode::unsupported, "dtype \"{}\" is unknown, expected F32, F16, BF16, U8, I8, ...",
                printable(dtype_text));
  }
  tensor.dtype = *known;
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
  const auto wanted = checked_mul(static_cast<std::uint64_t>(tensor.n_elements()), dtype_bytes(tensor.dtype));
  if (!wanted || *wanted != *end - *begin) {
    return fail(ErrorCode::bad_input, "{} {} needs {} bytes, \"data_offsets\" gives {}", dtype_name(tensor.dtype),
                tensor.shape_text(), wanted ? fmt::format("{}", *wanted) : "2^64 or more", *end - *begin);
  }
  tensor.bytes = data.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(*end - *begin));
  return {};
}

}  // namespace

bool SafetensorsFile::looks_like(std::span<const std::byte> bytes) {
  ByteCursor cursor(bytes);
  const auto header_bytes = cursor.read<std::uint64_t>("");
  return header_bytes && *header_bytes >= 2 && *header_bytes <= kMaxHeaderBytes && cursor.remaining() > 0 &&
         bytes[sizeof(std::uint64_t)] == std::byte{'{'};
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  TERN_TRY(auto mapped, sys::MappedFile::open(path));
  TERN_TRY(SafetensorsFile file, parse(mapped.bytes(), path));
  file.file_ = std::move(mapped);  // the bytes stay where they are
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
  TERN_TRY(const json root, parse_json(header, "header", {.max_depth = kDepth}));
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
    StoredTensor tensor;
    tensor.name = key;
    if (auto read = read_entry(entry, data, tensor); !read) {
      return in_context(fmt::format("tensor {}", printable(key)), std::move(read).error());
    }
    tensors_.push_back(std::move(tensor));
  }

  std::ranges::sort(tensors_, {}, [](const StoredTensor& tensor) {
    return std::tuple(tensor.bytes.data(), tensor.bytes.size(), std::string_view(tensor.name));
  });
  const StoredTensor* previous = nullptr;  // the last one with bytes
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const StoredTensor& tensor = tensors_[i];
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

const StoredTensor* SafetensorsFile::find(std::string_view tensor_name) const {
  const auto place = places_.find(tensor_name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

void SafetensorsFile::release(std::span<const std::byte> bytes) const {
  file_.release(bytes);
}

namespace {

Result<std::unique_ptr<CheckpointFile>> open_for_models(const std::string& path) {
  TERN_TRY(SafetensorsFile file, SafetensorsFile::open(path));
  for (const auto& [key, value] : file.metadata()) {
    if (!names_weight_transform(key) || value == "false" || value == "False") continue;
    return refuse_weight_transform(path + ": __metadata__: ", key);
  }
  return as_checkpoint_file(Result<SafetensorsFile>(std::move(file)));
}

}  // namespace

const CheckpointType kSafetensorsType{.what = "a safetensors file",
                                      .in_folder = "model.safetensors",
                                      .endings = {".safetensors"},
                                      .looks_like = SafetensorsFile::looks_like,
                                      .open = open_for_models};

}  // namespace tern::files
