// data.json of a packed data set from anywhere: no bytes may crash the reader, an error is one line, and what it
// accepts is written and read back as the same manifest.
#include <cstddef>
#include <cstdint>
#include <span>

#include "one_line.hpp"
#include "train/data/data_manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::train;
  const auto manifest = read_manifest(std::as_bytes(std::span(data, size)), "data.json");
  if (!manifest) {
    tern::fuzz::check_one_line(manifest.error(), 4000);
    return 0;
  }
  const std::string text = manifest_text(*manifest);
  const auto again = read_manifest(std::as_bytes(std::span(text)), "data.json");
  TERN_CHECK(again.has_value() && *again == *manifest && again->fingerprint() == manifest->fingerprint());
  return 0;
}
