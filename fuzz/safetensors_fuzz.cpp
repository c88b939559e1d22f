// Any bytes as a safetensors file: parsed, every tensor touched at both ends, a few rows converted.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "files/safetensors.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  using namespace tern;
  const auto file = files::SafetensorsFile::parse(std::as_bytes(std::span(data, n_bytes)), "input");
  if (!file) {
    tern::fuzz::check_one_line(file.error());
    return 0;
  }
  unsigned sum = 0;
  for (const auto& tensor : file->tensors()) {
    TERN_CHECK(file->find(tensor.name) == &tensor);
    TERN_CHECK(tensor.bytes.size() == static_cast<std::uint64_t>(tensor.n_elements()) * dtype_bytes(tensor.dtype));
    sum += static_cast<unsigned>(tensor.shape_text().size()) + (tensor.gguf_shape() ? 1U : 0U);
    if (tensor.bytes.empty()) continue;
    sum += std::to_integer<unsigned>(tensor.bytes.front()) + std::to_integer<unsigned>(tensor.bytes.back());
    const std::int64_t n_rows = std::min<std::int64_t>(tensor.n_rows(), 2);
    std::vector<float> values(static_cast<std::size_t>(n_rows * tensor.row_length()));
    for (const std::int64_t first : {std::int64_t{0}, tensor.n_rows() - n_rows}) {
      if (files::rows_to_f32(tensor, first, n_rows, values)) ++sum;
    }
  }
  return sum == 0xffffffffU ? -1 : 0;
}
