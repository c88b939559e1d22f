// Any bytes as a model in parts: one byte says how many (1 to 4), then each part's length as two bytes (little-endian)
// and its bytes, the last one without a length. Opened as one model; every tensor is touched at both ends in its own
// part.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "files/gguf_reader.hpp"
#include "files/gguf_split.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  using namespace tern;
  if (n_bytes == 0) return 0;
  const std::size_t n_parts = 1 + data[0] % 4;
  std::span<const std::byte> rest = std::as_bytes(std::span(data, n_bytes)).subspan(1);
  std::vector<std::span<const std::byte>> parts;
  while (parts.size() + 1 < n_parts && rest.size() >= 2) {
    const std::size_t wanted = std::to_integer<std::size_t>(rest[0]) + 256 * std::to_integer<std::size_t>(rest[1]);
    rest = rest.subspan(2);
    const std::size_t n = std::min(wanted, rest.size());
    parts.push_back(rest.first(n));
    rest = rest.subspan(n);
  }
  parts.push_back(rest);

  const auto file = files::GgufFile::parse_parts(parts, "input");
  if (!file) {
    tern::fuzz::check_one_line(file.error());
    return 0;
  }
  TERN_CHECK(file->parts().size() == parts.size());
  TERN_CHECK(!file->metadata().contains(files::kSplitCount));
  unsigned sum = 0;
  std::uint32_t last_part = 0;
  for (const auto& tensor : file->tensors()) {
    TERN_CHECK(tensor.part >= last_part && tensor.part < parts.size());
    last_part = tensor.part;
    const auto bytes = file->bytes(tensor);
    TERN_CHECK(bytes.data() >= parts[tensor.part].data() &&
               bytes.data() + bytes.size() <= parts[tensor.part].data() + parts[tensor.part].size());
    sum += std::to_integer<unsigned>(bytes.front()) + std::to_integer<unsigned>(bytes.back());
    TERN_CHECK(file->find(tensor.name) == &tensor);
  }
  const auto name = files::split_name(std::string_view(reinterpret_cast<const char*>(data), n_bytes));
  if (name) TERN_CHECK(name->no < name->count);
  return sum == 0xffffffffU ? -1 : 0;  // -1: not interesting; keeps the sum alive
}
