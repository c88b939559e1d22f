// SentencePiece unigram: of all ways to spell a text by tokens, the one whose scores (log probabilities) have the
// greatest sum, found by Viterbi's walk: linear in the text times the longest token. A character that begins no token
// of its own may be unknown, at a price. Of two ways with equal sums the one found first stays, so rounding decides
// ties, and sums go as in the program that a vocabulary comes from: sentencepiece (0.2.3) adds float32 over the whole
// text and starts from 0 again below -100,000; Hugging Face's tokenizers (which has a pre-tokenizer) adds float64 over
// each word. Not training, not sampling. Source: Kudo 2018; sentencepiece's and tokenizers' unigram models.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/byte_fallback.hpp"
#include "text/hash_index.hpp"
#include "text/token_trie.hpp"
#include "text/vocabulary.hpp"
#include "text/word_cache.hpp"

namespace tern::text {

class Unigram {
 public:
  static constexpr std::size_t kMaxTokenBytes = 1024;
  static constexpr bool kReadsMarks = true;  // wants spaces as U+2581

  /// Borrows the strings of `vocabulary.tokens`, which must outlive this object.
  [[nodiscard]] static Result<Unigram> make(const Vocabulary& vocabulary);

  // The best way to spell a text up to one of its bytes.
  struct Best {
    double score = 0;
    std::uint32_t length = 0;  // of the last token; 0: not reached
    std::uint32_t id = 0;
  };
  /// The state of one call; keeps views into the texts it is given.
  struct Run {
    explicit Run(const Unigram&) {}
    WordCache cache;
    std::vector<std::int32_t> ids;
    std::vector<Best> best;                                     // [bytes of the present stretch + 1]
    std::vector<std::pair<std::uint32_t, std::uint32_t>> path;  // id, bytes
    bool after_unknown = false;
  };

  /// Appends the ids of plain, normalised text in which spaces are U+2581 to `out`.
  [[nodiscard]] Result<void> encode(std::string_view escaped, Run& run, std::vector<std::int32_t>& out) const;

  /// The id of a normal token by its stored spelling.
  [[nodiscard]] const StringIndex& index() const { return index_; }
  /// The fallback token of one byte, or -1.
  [[nodiscard]] std::int32_t byte_id(unsigned char byte) const { return fallback_.id(byte); }

 private:
  static constexpr std::uint32_t kNoId = 0xFFFFFFFEU;  // of an unknown character

  [[nodiscard]] Result<void> walk(std::string_view text, Run& run, std::vector<std::int32_t>& out) const;
  [[nodiscard]] Result<void> give_out(std::string_view stretch, Run& run, std::vector<std::int32_t>& out) const;

  StringIndex index_;
  TokenTrie trie_;
  std::vector<double> scores_;  // [n_tokens]
  double unknown_score_ = 0;
  bool in_words_ = false;  // a vocabulary of tokenizers
  ByteFallback fallback_;
};

}  // namespace tern::text
