#include "text/vocabulary.hpp"

#include "text/pre_tokenizer.hpp"

namespace tern::text {

bool default_add_bos(TokenizerKind kind, std::string_view pre) {
  return kind == TokenizerKind::spm || PreTokenizer::takes_whole_words(pre);
}

std::string_view gguf_model_name(TokenizerKind kind) {
  return kind == TokenizerKind::spm ? "llama" : "gpt2";
}

}  // namespace tern::text
