// BERT's vocab.txt, with a tokenizer_config.json behind the first zero byte: no bytes may crash the reader, and what it
// accepts must tokenise.
#include <cstddef>
#include <cstdint>
#include <span>

#include "text/readers.hpp"
#include "text/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  std::size_t end = 0;
  while (end < size && data[end] != 0) ++end;
  auto vocabulary = read_vocab_txt(bytes.first(end), bytes.subspan(end < size ? end + 1 : end));
  if (!vocabulary) return 0;
  const auto tokenizer = Tokenizer::make(std::move(*vocabulary));
  if (!tokenizer) return 0;
  const auto ids = tokenizer->encode("The ##the [MASK] na\xC3\xAFve\xFF \xE6\xB1\x89 12,", {.parse_special = true});
  if (ids) (void)tokenizer->decode(*ids, true);
  return 0;
}
