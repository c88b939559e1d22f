#include "files/gguf_layout.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "base/checked.hpp"
#include "base/words.hpp"
#include "files/gguf_value.hpp"

namespace tern::files {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kMaxAlignment = std::uint64_t{1} << 20;

template <typename T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

Result<std::uint64_t> padded_sum(std::uint64_t sum, std::uint64_t n_bytes, std::uint64_t alignment) {
  const auto padded = checked_align_up(n_bytes, alignment);
  const auto total = padded ? checked_add(sum, *padded) : padded;
  if (!total) return fail(ErrorCode::usage, "the size of the file to write overflows");
  return *total;
}

Result<void> check_name(std::string_view name) {
  if (!name.empty() && name.size() <= GgufLayout::kMaxNameBytes) return {};
  return fail(ErrorCode::usage, "tensor name \"{}\" has {} bytes, expected 1 to {}", printable(name), name.size(),
              GgufLayout::kMaxNameBytes);
}

}  // namespace

Result<std::uint64_t> gguf_alignment(const Metadata& metadata) {
  TERN_TRY(const auto stored, metadata.optional_u64("general.alignment"));
  const std::uint64_t alignment = stored.value_or(32);
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) {
    return fail(ErrorCode::bad_input, "general.alignment is {}, expected a power of two of at most {}", alignment,
                kMaxAlignment);
  }
  return alignment;
}

Result<void> GgufLayout::add_tensor(std::string_view name, const Shape& shape, const formats::Format& format) {
  TERN_TRY_DO(check_name(name));
  auto n_bytes = formats::tensor_bytes(format, shape);
  if (!n_bytes) return in_context(fmt::format("tensor {}", printable(name)), std::move(n_bytes).error());
  return add({std::string(name), shape, &format, *n_bytes, format.gguf_id});
}

Result<void> GgufLayout::add(PlannedTensor tensor) {
  TERN_TRY_DO(check_name(tensor.name));
  if (!names_.emplace(tensor.name).second) {
    return fail(ErrorCode::usage, "tensor {} is added twice, expected once", printable(tensor.name));
  }
  tensors_.push_back(std::move(tensor));
  return {};
}

Result<std::string> GgufLayout::header() const {
  TERN_TRY(const std::uint64_t alignment, gguf_alignment(metadata));
  std::string out = "GGUF";
  append_raw(out, kVersion);
  append_raw(out, static_cast<std::uint64_t>(tensors_.size()));
  append_raw(out, static_cast<std::uint64_t>(metadata.size()));
  for (const auto& [key, value] : metadata.entries()) {
    append_gguf_string(out, key);
    append_gguf_value(out, value);
  }
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors_) {
    append_gguf_string(out, tensor.name);
    append_raw(out, static_cast<std::uint32_t>(tensor.shape.n_dims));
    for (int i = 0; i < tensor.shape.n_dims; ++i) append_raw(out, tensor.shape.ne[static_cast<std::size_t>(i)]);
    append_raw(out, tensor.type_id);
    append_raw(out, offset);
    TERN_TRY(offset, padded_sum(offset, tensor.n_bytes, alignment));
  }
  const auto padded = checked_align_up<std::uint64_t>(out.size(), alignment);
  TERN_CHECK(padded);
  out.resize(static_cast<std::size_t>(*padded), '\0');
  return out;
}

Result<std::uint64_t> GgufLayout::file_bytes() const {
  TERN_TRY(const std::uint64_t alignment, gguf_alignment(metadata));
  TERN_TRY(const std::string head, header());
  std::uint64_t total = head.size();
  for (const auto& tensor : tensors_) {
    TERN_TRY(total, padded_sum(total, tensor.n_bytes, alignment));
  }
  return total;
}

}  // namespace tern::files
