// Any bytes as a GGUF file: parsed, every value shown, every tensor touched at both ends, a few rows decoded.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "files/gguf_layout.hpp"
#include "files/gguf_reader.hpp"
#include "files/weight_transform.hpp"
#include "formats/format.hpp"
#include "one_line.hpp"

namespace {

using namespace tern;

void touch(const files::GgufFile& file, const files::GgufTensor& tensor, unsigned& sum) {
  const auto bytes = file.bytes(tensor);
  TERN_CHECK(!bytes.empty());
  sum += std::to_integer<unsigned>(bytes.front()) + std::to_integer<unsigned>(bytes.back());
  if (tensor.format == nullptr) {
    TERN_CHECK(!tensor.unsupported_reason.empty());
    return;
  }
  TERN_CHECK(*formats::tensor_bytes(*tensor.format, tensor.shape) == bytes.size());
  const std::int64_t n_rows = std::min<std::int64_t>(tensor.shape.n_rows(), 2);
  std::vector<float> values(static_cast<std::size_t>(n_rows * tensor.shape.row_length()));
  for (const std::int64_t first : {std::int64_t{0}, tensor.shape.n_rows() - n_rows}) {
    if (formats::decode_rows(*tensor.format, tensor.shape, bytes, first, n_rows, values)) ++sum;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  const auto file = files::GgufFile::parse(std::as_bytes(std::span(data, n_bytes)), "input");
  if (!file) {
    tern::fuzz::check_one_line(file.error());
    return 0;
  }
  unsigned sum = 0;
  for (const auto& [key, value] : file->metadata().entries()) {
    sum += static_cast<unsigned>(value.text().size() + value.type_text().size());
    TERN_CHECK(file->metadata().find(key) == &value);
  }
  sum += weight_transform_key(file->metadata()) ? 1U : 0U;
  for (const auto& tensor : file->tensors()) touch(*file, tensor, sum);
  // What was read can be written: the metadata's bytes come back the same.
  files::GgufLayout layout;
  layout.metadata = file->metadata();
  const auto header = layout.header();
  TERN_CHECK(header.has_value());
  const auto again = files::GgufFile::parse(std::as_bytes(std::span(*header)), "again");
  TERN_CHECK(again.has_value() && again->metadata().size() == file->metadata().size());
  return sum == 0xffffffffU ? -1 : 0;  // -1: not interesting; keeps the sum alive
}
