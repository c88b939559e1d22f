// Writes one .safetensors file as a stream: all names, types and shapes first, then the tensors' bytes one after the
// other. Never more in memory than the header and what the caller hands over; the target's name holds the old file or
// the whole new one (AtomicFile). It knows no models and converts no values.
// Source: the safetensors format description; the reference library's own writer for the order and the padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "files/stored_tensor.hpp"
#include "sys/atomic_file.hpp"

namespace tern::files {

struct SafetensorsTensor {
  std::string name;  // UTF-8
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // outermost first; empty for a scalar; an extent may be 0

  /// Errors: usage for a negative extent, more than 8 of them, or 2^63 bytes and more.
  [[nodiscard]] Result<std::uint64_t> n_bytes() const;
};

/// The "__metadata__" object: strings alone, as the format demands.
using SafetensorsMetadata = std::map<std::string, std::string, std::less<>>;

/// The order in which the reference library writes: wider elements first, so that each tensor's bytes begin at a
/// multiple of its element's, then by name. With it, SafetensorsWriter makes that library's file byte for byte.
void sort_as_reference(std::vector<SafetensorsTensor>& tensors);

class SafetensorsWriter {
 public:
  /// Opens the temporary file beside `path` and writes the header; the tensors' bytes follow in the order given,
  /// without holes. Errors: usage for a name that is not UTF-8, empty, taken twice or "__metadata__", for metadata that
  /// is not UTF-8, for a header longer than readers take; io as AtomicFile::create.
  [[nodiscard]] static Result<SafetensorsWriter> create(const std::string& path, std::vector<SafetensorsTensor> tensors,
                                                        const SafetensorsMetadata& metadata, bool overwrite);

  [[nodiscard]] std::span<const SafetensorsTensor> tensors() const { return tensors_; }
  /// Of the whole file.
  [[nodiscard]] std::uint64_t file_bytes() const { return header_bytes_ + data_bytes_; }

  /// Says that the next bytes are those of tensor `index`. Not needed; a guard for callers who count themselves.
  /// Errors: usage where more or fewer bytes came before.
  [[nodiscard]] Result<void> begin_tensor(std::size_t index) const;
  /// Appends, in pieces of any size: a piece may span tensors. Errors: usage beyond the last tensor's bytes, io.
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  /// Syncs and renames into place: seal() and publish(). Errors: usage if bytes are missing, io.
  [[nodiscard]] Result<void> commit();
  /// The two halves, as AtomicFile has them, for files that shall appear together.
  [[nodiscard]] Result<void> seal();
  [[nodiscard]] Result<void> publish();

 private:
  SafetensorsWriter(sys::AtomicFile file, std::string path, std::vector<SafetensorsTensor> tensors)
      : file_(std::move(file)), path_(std::move(path)), tensors_(std::move(tensors)) {}

  sys::AtomicFile file_;
  std::string path_;
  std::vector<SafetensorsTensor> tensors_;
  std::vector<std::uint64_t> begins_;  // [n_tensors] in the data
  std::uint64_t header_bytes_ = 0;     // with its length and padding
  std::uint64_t data_bytes_ = 0;
};

}  // namespace tern::files
