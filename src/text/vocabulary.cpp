#include "text/vocabulary.hpp"

#include "text/pre_tokenizer.hpp"

namespace tern::text {

bool default_add_bos(TokenizerKind kind, std::string_view pre) {
  return kind == TokenizerKind::spm || PreTokenizer::takes_whole_words(pre);
}

std::string_view gguf_model_name(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::bpe:
      return "gpt2";
    case TokenizerKind::spm:
      return "llama";
    case TokenizerKind::wordpiece:
      return "bert";
    case TokenizerKind::unigram:
      return "t5";
  }
  return "?";
}

}  // namespace tern::text
