// Any text through both kinds of BPE on small vocabularies: the bytes must come back whole, and streamed text must be
// valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../tests/support/tokenizer_files.hpp"
#include "base/utf8.hpp"
#include "text/detokenizer.hpp"
#include "text/space_mark.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::text;
  static const Tokenizer tokenizers[] = {
      *Tokenizer::make(test::bpe_vocabulary("gpt-2")), *Tokenizer::make(test::bpe_vocabulary("llama-bpe")),
      *Tokenizer::make(test::bpe_vocabulary("qwen2")), *Tokenizer::make(test::spm_vocabulary())};
  if (size == 0) return 0;
  const Tokenizer& tokenizer = tokenizers[data[0] & 3];
  const bool parse_special = (data[0] & 4) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto ids = tokenizer.encode(text, {.parse_special = parse_special});
  if (!ids) std::abort();
  const std::string back = tokenizer.decode(*ids, true);
  // U+2581 in a text is a space to SentencePiece, and a space comes after each special token there.
  const bool is_exact = tokenizer.vocabulary().kind == TokenizerKind::bpe ||
                        (!parse_special && text.find(kSpaceMark) == std::string_view::npos);
  if (is_exact && back != text) std::abort();
  Detokenizer detokenizer(tokenizer);
  std::string streamed;
  for (const std::int32_t id : *ids) streamed += detokenizer.push(id);
  streamed += detokenizer.finish();
  if (tern::utf8_valid_prefix(streamed) != streamed.size()) std::abort();
  return 0;
}
