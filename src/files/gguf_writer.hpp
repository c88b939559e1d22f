// Writes a GGUF file (version 3) as a stream: all names and formats first, then each tensor's bytes in that order.
// Never more in memory than the caller hands over; the target's name holds the old file or the whole new one
// (AtomicFile).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "files/gguf_layout.hpp"
#include "sys/atomic_file.hpp"

namespace tern::files {

class GgufWriter {
 public:
  /// Opens the temporary file beside `path`. Errors: io (exists and not overwrite, a directory, no permission).
  [[nodiscard]] static Result<GgufWriter> create(const std::string& path, bool overwrite);
  /// The same with everything planned already.
  [[nodiscard]] static Result<GgufWriter> create(const std::string& path, bool overwrite, GgufLayout layout);

  /// Metadata and tensors, until the first begin_tensor() or commit() writes the header. Errors: usage afterwards.
  [[nodiscard]] Result<void> set_metadata(Metadata metadata);
  [[nodiscard]] Result<void> add_tensor(std::string_view name, const Shape& shape, const formats::Format& format);
  [[nodiscard]] const GgufLayout& layout() const { return layout_; }

  /// Tensors are written in the order they were added; `index` says which the caller believes it is.
  [[nodiscard]] Result<void> begin_tensor(std::size_t index);
  /// Appends to the tensor begun. Errors: usage beyond its n_bytes, io.
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  /// Pads. Errors: usage if fewer than n_bytes came.
  [[nodiscard]] Result<void> end_tensor();
  /// begin, write, end.
  [[nodiscard]] Result<void> write_tensor(std::size_t index, std::span<const std::byte> bytes);
  /// Syncs and renames into place: seal() and publish(). Errors: usage if tensors are missing, io.
  [[nodiscard]] Result<void> commit();
  /// The two halves, as AtomicFile has them, for files that shall appear together.
  [[nodiscard]] Result<void> seal();
  [[nodiscard]] Result<void> publish();

 private:
  explicit GgufWriter(sys::AtomicFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  [[nodiscard]] Result<void> write_header();

  sys::AtomicFile file_;
  std::string path_;
  GgufLayout layout_;
  std::uint64_t alignment_ = 0;
  bool header_written_ = false;
  bool in_tensor_ = false;
  std::size_t next_tensor_ = 0;     // the one begun, or the next to begin
  std::uint64_t bytes_wanted_ = 0;  // of the tensor begun
};

}  // namespace tern::files
