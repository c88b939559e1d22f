// A borrowed tensor: its name, shape, format and bytes. Owns nothing; the file or buffer behind it must outlive it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tensor/shape.hpp"

namespace tern {

namespace formats {
struct Format;
}

struct TensorView {
  std::string_view name;
  Shape shape;
  const formats::Format* format = nullptr;  // identity is the address: there is no enum to switch on
  std::span<const std::byte> bytes;
};

}  // namespace tern
