// Reads a GGUF file (version 2 or 3, little-endian), mapped into memory: metadata copied out, tensors as views.
// Every count and length is compared with the bytes that are left before anything is allocated or read, so the memory a
// file can make us take is a small multiple of its own size. A model that is split into several files (gguf_split.hpp)
// is opened whole, from any of them, and looks like one file. Not here: what the keys and names mean (room models).
// Source: the GGUF specification; llama.cpp's gguf-split for models in parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/gguf_split.hpp"
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
  std::uint32_t part = 0;                   // which of GgufFile::parts() holds it
  std::uint64_t offset = 0;                 // absolute, in bytes from the start of that part
  std::uint64_t n_bytes = 0;  // the tensor's own bytes; for an unknown type all bytes up to the next tensor
};

/// One of the files a model is in.
struct GgufPart {
  std::string path;
  sys::MappedFile file;              // the mapping; empty over borrowed bytes
  std::span<const std::byte> bytes;  // the whole of it
  std::size_t n_tensors = 0;
};

class GgufFile {
 public:
  /// By the first four bytes.
  [[nodiscard]] static bool looks_like(std::span<const std::byte> bytes);
  /// Maps and checks a file. A part of a split model opens the whole model, whichever part it is: the other parts are
  /// looked for beside it. Errors: those of MappedFile::open; bad_input, unsupported and, for a part that is missing,
  /// not_found, with one line that begins with `path`.
  [[nodiscard]] static Result<GgufFile> open(const std::string& path);
  /// The same over borrowed bytes, which must outlive the object; `name` stands for the path in messages. These bytes
  /// alone: of a part of a split model, the tensors of that part, and metadata() still has the keys that say so.
  [[nodiscard]] static Result<GgufFile> parse(std::span<const std::byte> bytes, std::string_view name);
  /// All parts of a split model over borrowed bytes, in order.
  [[nodiscard]] static Result<GgufFile> parse_parts(std::span<const std::span<const std::byte>> parts,
                                                    std::string_view name);

  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of all parts together.
  [[nodiscard]] std::uint64_t file_bytes() const;
  /// The first part's, for a model opened from several without the keys that place a part among the others.
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  /// The files the model is in: one, or the parts of a split model in order.
  [[nodiscard]] std::span<const GgufPart> parts() const { return parts_; }
  /// general.architecture, or "" where the file has none.
  [[nodiscard]] const std::string& architecture() const { return architecture_; }
  [[nodiscard]] std::uint64_t alignment() const { return alignment_; }
  /// In the order of the parts, and in each of its list (not necessarily the order of their bytes).
  [[nodiscard]] std::span<const GgufTensor> tensors() const { return tensors_; }
  /// Null when absent.
  [[nodiscard]] const GgufTensor* find(std::string_view name) const;
  /// The stored bytes of a tensor of this file.
  [[nodiscard]] std::span<const std::byte> bytes(const GgufTensor& tensor) const;
  /// A view with its format. Requires: tensor.format != nullptr.
  [[nodiscard]] TensorView view(const GgufTensor& tensor) const;
  /// Tells the system that this tensor's bytes are not needed soon (streaming readers).
  void release(const GgufTensor& tensor) const;
  /// The same for any bytes; those of another place are left alone.
  void release(std::span<const std::byte> bytes) const;

 private:
  class Assembly;  // of a split model: gguf_parts.cpp

  GgufFile() = default;
  /// A file of one part, its header read, its tensors not placed yet. Errors name the file.
  [[nodiscard]] static Result<GgufFile> read_one(GgufPart part);
  [[nodiscard]] Result<void> read_header();
  /// Makes offsets absolute, finds formats and sizes; some type numbers mean what the architecture says.
  [[nodiscard]] Result<void> place_tensors(std::string_view architecture);
  /// The whole model of which `given` is the part `place`.
  [[nodiscard]] static Result<GgufFile> open_parts(GgufFile given, const SplitPlace& place);

  std::vector<GgufPart> parts_;
  std::uint64_t header_bytes_ = 0;
  std::string name_;
  std::string architecture_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = 32;
  Metadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace tern::files
