#include "tensor/shape.hpp"

#include "base/checked.hpp"

namespace tern {

Result<Shape> Shape::make(std::span<const std::int64_t> extents) {
  if (extents.empty() || extents.size() > kMaxDims) {
    return fail(ErrorCode::bad_input, "a tensor has 1 to {} dimensions, got {}", kMaxDims, extents.size());
  }
  Shape shape;
  shape.n_dims = static_cast<int>(extents.size());
  std::int64_t n_elements = 1;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] <= 0) {
      return fail(ErrorCode::bad_input, "dimension {} is {}, expected at least 1", i, extents[i]);
    }
    const auto product = checked_mul(n_elements, extents[i]);
    if (!product) return fail(ErrorCode::bad_input, "the product of the dimensions does not fit in 63 bits");
    n_elements = *product;
    shape.ne[i] = extents[i];
  }
  return shape;
}

std::string Shape::text() const {
  std::string out = "[";
  for (int i = 0; i < n_dims; ++i) out += fmt::format("{}{}", i == 0 ? "" : ", ", ne[static_cast<std::size_t>(i)]);
  return out + "]";
}

}  // namespace tern
