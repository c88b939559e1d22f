// Any bytes as a llama2.c checkpoint: parsed, every tensor touched at both ends.
#include <cstddef>
#include <cstdint>
#include <span>

#include "files/llama2c.hpp"
#include "formats/format.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  using namespace tern;
  const auto file = files::Llama2cFile::parse(std::as_bytes(std::span(data, n_bytes)), "input");
  if (!file) {
    tern::fuzz::check_one_line(file.error());
    return 0;
  }
  unsigned sum = 0;
  for (const auto& tensor : file->tensors()) {
    const TensorView view = file->view(tensor);
    TERN_CHECK(*formats::tensor_bytes(*view.format, view.shape) == view.bytes.size());
    sum += std::to_integer<unsigned>(view.bytes.front()) + std::to_integer<unsigned>(view.bytes.back());
  }
  return sum == 0xffffffffU ? -1 : 0;
}
