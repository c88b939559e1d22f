// tiktoken rank files and pairs of vocab.json and merges.txt (cut at the first NUL) from anywhere.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "text/detect.hpp"
#include "text/tokenizer.hpp"

namespace {
void use(tern::Result<tern::text::Vocabulary> vocabulary) {
  if (!vocabulary) return;
  const auto tokenizer = tern::text::Tokenizer::make(std::move(*vocabulary));
  if (!tokenizer) return;
  const auto ids = tokenizer->encode("a <s> b\xFF\n 12", {.parse_special = true});
  if (ids) (void)tokenizer->decode(*ids, true);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  use(read_tiktoken(bytes));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) use(read_vocab_merges(bytes.first(nul), bytes.subspan(nul + 1)));
  return 0;
}
