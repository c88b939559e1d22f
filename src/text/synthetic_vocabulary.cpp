#include "text/synthetic_vocabulary.hpp"

#include <string_view>

#include "text/byte_alphabet.hpp"
#include "text/word_counts.hpp"

namespace tern::text {

Result<Vocabulary> synthetic_vocabulary(std::size_t n_tokens) {
  constexpr std::size_t kMost = std::size_t{1} << 22;  // no model has more; all words of five letters are not reached
  if (n_tokens < kSmallestSynthetic || n_tokens > kMost) {
    return fail(ErrorCode::usage, "a vocabulary of {} tokens, expected {} (the bytes and two more) to {}", n_tokens,
                kSmallestSynthetic, kMost);
  }
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  Vocabulary out;
  out.kind = TokenizerKind::bpe;
  out.pre = kTrainingPre;
  for (int byte = 0; byte < 256; ++byte)
    out.tokens.push_back(to_byte_alphabet(std::string(1, static_cast<char>(byte))));
  std::vector<std::string> words{to_byte_alphabet(" ")};
  for (const char letter : kLetters) words.emplace_back(1, letter);
  const std::size_t n_normal = n_tokens - 2;
  // Each word in turn is made longer by each letter: all short words come before all longer ones.
  for (std::size_t i = 0; out.tokens.size() < n_normal; ++i) {
    for (const char letter : kLetters) {
      if (out.tokens.size() == n_normal) break;
      std::string longer = words[i] + letter;
      out.merges.push_back(words[i] + ' ' + letter);
      out.tokens.push_back(longer);
      words.push_back(std::move(longer));
    }
  }
  out.types.assign(n_normal, TokenType::normal);
  for (const auto& [name, id] : {std::pair{"<|begin_of_text|>", &out.bos}, {"<|end_of_text|>", &out.eos}}) {
    *id = static_cast<std::int32_t>(out.tokens.size());
    out.tokens.emplace_back(name);
    out.types.push_back(TokenType::control);
  }
  out.add_bos = true;
  out.source = "synthetic";
  return out;
}

}  // namespace tern::text
