// tokenizer.json from anywhere: no bytes may crash the reader, and what it accepts must tokenise.
#include <cstddef>
#include <cstdint>
#include <span>

#include "text/detect.hpp"
#include "text/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  (void)detect_tokenizer(bytes);
  auto vocabulary = read_tokenizer_json(bytes);
  if (!vocabulary) return 0;
  (void)apply_tokenizer_config(*vocabulary, bytes);
  const auto tokenizer = Tokenizer::make(std::move(*vocabulary));
  if (!tokenizer) return 0;
  const auto ids = tokenizer->encode("a <s> b\xFF\n 12", {.parse_special = true});
  if (ids) (void)tokenizer->decode(*ids, true);
  return 0;
}
