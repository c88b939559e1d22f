// WordPiece (BERT): text is cut at white space and around punctuation, and each word is spelled by the longest token at
// its front, then by the longest continuation behind it, and so on. A word that cannot be spelled to its end, or is too
// long, is the unknown token as a whole. Cleaning and lower case are the normalizer's. Tokens are stored as GGUF has
// them: U+2581 in front of those that begin a word. Source: Hugging Face's tokenizers; Devlin et al. 2018.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/hash_index.hpp"
#include "text/token_trie.hpp"
#include "text/vocabulary.hpp"
#include "text/word_cache.hpp"

namespace tern::text {

class WordPiece {
 public:
  /// Borrows the strings of `vocabulary.tokens`, which must outlive this object.
  [[nodiscard]] static Result<WordPiece> make(const Vocabulary& vocabulary);

  /// The state of one call; keeps views into the texts it is given.
  struct Run {
    explicit Run(const WordPiece&) {}
    WordCache cache;
    std::vector<std::int32_t> ids;
    std::string marked;
    std::size_t taken = 0;  // bytes of the token found last
  };

  /// Appends the ids of plain, normalised text to `out`.
  [[nodiscard]] Result<void> encode(std::string_view text, Run& run, std::vector<std::int32_t>& out) const;

  /// The id of a normal token by its stored spelling.
  [[nodiscard]] const StringIndex& index() const { return index_; }

 private:
  // What cuts a text into words; BERT's own unless the vocabulary's section "pre_tokenizer" says otherwise.
  enum class Cut { spaces_and_punctuation, spaces };

  [[nodiscard]] Result<void> encode_word(std::string_view word, Run& run) const;
  [[nodiscard]] bool spell(std::string_view word, Run& run) const;

  StringIndex index_;
  TokenTrie trie_;
  std::optional<std::int32_t> unknown_;
  std::size_t max_characters_ = 0;
  Cut cut_ = Cut::spaces_and_punctuation;
};

}  // namespace tern::text
