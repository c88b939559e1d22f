// Reads a GGUF file (version 2 or 3, little-endian), mapped into memory: metadata copied out, tensors as views.
// Every count and length is compared with the bytes that are left before anything is allocated or read, so the memory a
// file can make us take is a small multiple of its own size. Not here: what the keys and names mean (room models).
// Source: the GGUF specification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/metadata.hpp"
#include "formats/format.hpp"
#include "sys/mapped_file.hpp"
#include "tensor/shape.hpp"
#include "tensor/view.hpp"

namespace tern::files {

struct GgufTensor {
  std::string name;
  Shape shape;
  std::uint32_t type_id = 0;
  const formats::Format* format = nullptr;  // null when the type is not one of ours
  std::string unsupported_reason;           // why format is null
  std::uint64_t offset = 0;                 // absolute, in bytes from the start of the file
  std::uint64_t n_bytes = 0;  // the tensor's own bytes; for an unknown type all bytes up to the next tensor
};

class GgufFile {
 public:
  /// Maps and checks a file. Errors: those of MappedFile::open; bad_input and unsupported with one line naming the
  /// file.
  [[nodiscard]] static Result<GgufFile> open(const std::string& path);
  /// The same over borrowed bytes, which must outlive the object; `name` stands for the path in messages.
  [[nodiscard]] static Result<GgufFile> parse(std::span<const std::byte> bytes, std::string_view name);

  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t file_bytes() const { return bytes_.size(); }
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  /// general.architecture, or "" where the file has none.
  [[nodiscard]] const std::string& architecture() const { return architecture_; }
  [[nodiscard]] std::uint64_t alignment() const { return alignment_; }
  /// In the order of the file's list (not necessarily the order of their bytes).
  [[nodiscard]] std::span<const GgufTensor> tensors() const { return tensors_; }
  /// Null when absent.
  [[nodiscard]] const GgufTensor* find(std::string_view name) const;
  /// The stored bytes of a tensor of this file.
  [[nodiscard]] std::span<const std::byte> bytes(const GgufTensor& tensor) const;
  /// A view with its format. Requires: tensor.format != nullptr.
  [[nodiscard]] TensorView view(const GgufTensor& tensor) const;
  /// Tells the system that this tensor's bytes are not needed soon (streaming readers).
  void release(const GgufTensor& tensor) const;
  /// The mapping; empty when built by parse().
  [[nodiscard]] const sys::MappedFile& file() const { return file_; }

 private:
  GgufFile() = default;
  [[nodiscard]] Result<void> read_all();
  /// Makes offsets absolute, finds formats and sizes.
  [[nodiscard]] Result<void> place_tensors(std::uint64_t header_bytes);

  sys::MappedFile file_;
  std::span<const std::byte> bytes_;
  std::string name_;
  std::string architecture_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = 32;
  Metadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace tern::files
