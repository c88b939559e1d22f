// Where everything goes in a GGUF file still to be written: names, shapes, formats -> header bytes, offsets, size.
// Pure arithmetic, so a program can say how large a result will be before it writes a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/metadata.hpp"
#include "formats/format.hpp"
#include "tensor/shape.hpp"

namespace tern::files {

/// What tensors begin at multiples of: general.alignment, or 32. Errors: not a power of two of at most 1 MiB.
[[nodiscard]] Result<std::uint64_t> gguf_alignment(const Metadata& metadata);

struct PlannedTensor {
  std::string name;
  Shape shape;
  const formats::Format* format = nullptr;  // null: somebody else's type, whose bytes are only carried over
  std::uint64_t n_bytes = 0;
  std::uint32_t type_id = 0;
};

class GgufLayout {
 public:
  /// Longest tensor name other readers of this format take.
  static constexpr std::size_t kMaxNameBytes = 63;

  Metadata metadata;

  /// Appends a tensor. Errors: usage for a duplicate, empty or over-long name or a row the format does not divide.
  [[nodiscard]] Result<void> add_tensor(std::string_view name, const Shape& shape, const formats::Format& format);
  /// The same for bytes that are carried over as they are, whatever their type; n_bytes is believed.
  [[nodiscard]] Result<void> add(PlannedTensor tensor);
  [[nodiscard]] std::span<const PlannedTensor> tensors() const { return tensors_; }

  /// Everything before the tensor data, version 3, padded to the alignment.
  [[nodiscard]] Result<std::string> header() const;
  /// Size of the whole file.
  [[nodiscard]] Result<std::uint64_t> file_bytes() const;

 private:
  std::vector<PlannedTensor> tensors_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace tern::files
