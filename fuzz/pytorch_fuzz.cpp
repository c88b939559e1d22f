// Any bytes as a PyTorch checkpoint: the archive's directory, its pickle, every tensor at its first and last rows. The
// same bytes once more as a bare pickle, so that the fuzzer reaches it without a sound archive around it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "files/pickle.hpp"
#include "files/pytorch.hpp"
#include "files/pytorch_tensors.hpp"
#include "one_line.hpp"

namespace {

using namespace tern;

void touch(const files::StoredTensor& tensor, unsigned& sum) {
  sum += static_cast<unsigned>(tensor.shape_text().size()) + (tensor.gguf_shape() ? 1U : 0U);
  if (tensor.n_elements() == 0) return;
  TERN_CHECK(tensor.bytes.size() >= files::dtype_bytes(tensor.dtype));
  sum += std::to_integer<unsigned>(tensor.bytes.front()) + std::to_integer<unsigned>(tensor.bytes.back());
  const std::int64_t n_rows = std::min<std::int64_t>(tensor.n_rows(), 2);
  std::vector<float> values(static_cast<std::size_t>(n_rows * tensor.row_length()));
  std::vector<std::byte> buffer;
  for (const std::int64_t first : {std::int64_t{0}, tensor.n_rows() - n_rows}) {
    if (files::rows_to_f32(tensor, first, n_rows, values)) ++sum;
    for (const std::byte b : files::row_bytes(tensor, first, buffer)) sum += std::to_integer<unsigned>(b);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  const auto bytes = std::as_bytes(std::span(data, n_bytes));
  unsigned sum = 0;
  const auto file = files::PytorchFile::parse(bytes, "input");
  if (file) {
    for (const auto& tensor : file->tensors()) {
      TERN_CHECK(file->find(tensor.name) == &tensor);
      touch(tensor, sum);
    }
  } else {
    tern::fuzz::check_one_line(file.error());
  }
  const auto pickle = files::Pickle::parse(bytes, &files::is_torch_name);
  if (pickle) {
    const auto state = files::read_state_dict(*pickle, [&](std::string_view) { return std::optional(bytes); });
    if (state) {
      for (const auto& tensor : state->tensors) touch(tensor, sum);
    } else {
      tern::fuzz::check_one_line(state.error());
    }
  }
  return sum == 0xffffffffU ? -1 : 0;  // -1: not interesting; keeps the sum alive
}
