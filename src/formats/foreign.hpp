// Tensor types that exist in files of this field and that Tern does not read: enough about them to say what a file
// holds instead of "unknown", and to tell them from our own where two programs use one number for different bytes. Not
// formats: nothing here encodes or decodes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tensor/shape.hpp"

namespace tern::formats {

struct ForeignType {
  std::uint32_t gguf_id;
  std::string_view name;
  std::string_view origin = "ggml";  // who writes it
  /// Bytes are n_elements / block_values * block_bytes + tail_bytes; block_values 0: not known or not of this form.
  std::int32_t block_values = 0;
  std::int32_t block_bytes = 0;
  std::int32_t tail_bytes = 0;
  /// Files of the architectures that begin with this word mean this type by the number, others only if the size says
  /// so.
  std::string_view architecture_prefix = "";
  /// The size, where it is not of the form above; 0 for shapes the type cannot have.
  std::uint64_t (*bytes_of)(const Shape& shape) = nullptr;
};

/// All of them, several per number where numbers clash.
[[nodiscard]] std::span<const ForeignType> foreign_types();

/// Bytes a tensor of that shape has in that type; 0 where that is not known or the shape does not divide.
[[nodiscard]] std::uint64_t foreign_bytes(const ForeignType& type, const Shape& shape);

}  // namespace tern::formats
