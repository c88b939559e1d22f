#include "files/gguf_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tern::files {

Result<GgufWriter> GgufWriter::create(const std::string& path, bool overwrite) {
  TERN_TRY(auto file, sys::AtomicFile::create(path, overwrite));
  return GgufWriter(std::move(file), path);
}

Result<GgufWriter> GgufWriter::create(const std::string& path, bool overwrite, GgufLayout layout) {
  TERN_TRY(auto writer, create(path, overwrite));
  writer.layout_ = std::move(layout);
  return writer;
}

Result<void> GgufWriter::set_metadata(Metadata metadata) {
  if (header_written_) return fail(ErrorCode::usage, "{}: metadata set after the header was written", path_);
  layout_.metadata = std::move(metadata);
  return {};
}

Result<void> GgufWriter::add_tensor(std::string_view name, const Shape& shape, const formats::Format& format) {
  if (header_written_) return fail(ErrorCode::usage, "{}: tensor {} added after the header was written", path_, name);
  return layout_.add_tensor(name, shape, format);
}

Result<void> GgufWriter::write_header() {
  TERN_TRY(alignment_, gguf_alignment(layout_.metadata));
  TERN_TRY(const std::string header, layout_.header());
  TERN_TRY_DO(file_.write(header));
  header_written_ = true;
  return {};
}

Result<void> GgufWriter::begin_tensor(std::size_t index) {
  const auto tensors = layout_.tensors();
  if (in_tensor_) {
    return fail(ErrorCode::usage, "{}: tensor {} begun before {} was ended", path_, index, tensors[next_tensor_].name);
  }
  if (index != next_tensor_ || index >= tensors.size()) {
    return fail(ErrorCode::usage, "{}: tensor {} begun, expected tensor {} of {}", path_, index, next_tensor_,
                tensors.size());
  }
  if (!header_written_) TERN_TRY_DO(write_header());
  bytes_wanted_ = tensors[index].n_bytes;
  in_tensor_ = true;
  return {};
}

Result<void> GgufWriter::write(std::span<const std::byte> bytes) {
  if (!in_tensor_) return fail(ErrorCode::usage, "{}: bytes written outside a tensor", path_);
  if (bytes.size() > bytes_wanted_) {
    return fail(ErrorCode::usage, "{}: tensor {} gets {} bytes too many", path_, layout_.tensors()[next_tensor_].name,
                bytes.size() - bytes_wanted_);
  }
  TERN_TRY_DO(file_.write(bytes));
  bytes_wanted_ -= bytes.size();
  return {};
}

Result<void> GgufWriter::end_tensor() {
  if (!in_tensor_) return fail(ErrorCode::usage, "{}: a tensor ended that was not begun", path_);
  if (bytes_wanted_ != 0) {
    return fail(ErrorCode::usage, "{}: tensor {} ended {} bytes short", path_, layout_.tensors()[next_tensor_].name,
                bytes_wanted_);
  }
  constexpr std::array<std::byte, 4096> kZeros{};
  std::uint64_t padding = (alignment_ - file_.position() % alignment_) % alignment_;
  while (padding > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(padding, kZeros.size()));
    TERN_TRY_DO(file_.write(std::span(kZeros).first(n)));
    padding -= n;
  }
  in_tensor_ = false;
  ++next_tensor_;
  return {};
}

Result<void> GgufWriter::write_tensor(std::size_t index, std::span<const std::byte> bytes) {
  TERN_TRY_DO(begin_tensor(index));
  TERN_TRY_DO(write(bytes));
  return end_tensor();
}

Result<void> GgufWriter::commit() {
  TERN_TRY_DO(seal());
  return publish();
}

Result<void> GgufWriter::publish() {
  return file_.publish();
}

Result<void> GgufWriter::seal() {
  const auto tensors = layout_.tensors();
  if (in_tensor_ || next_tensor_ != tensors.size()) {
    return fail(ErrorCode::usage, "{}: {} of {} tensors written", path_, next_tensor_, tensors.size());
  }
  if (!header_written_) TERN_TRY_DO(write_header());
  return file_.seal();
}

}  // namespace tern::files
