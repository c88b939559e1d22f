// SentencePiece BPE with byte fallback (LLaMA 1 and 2, llama2.c): spaces become U+2581, symbols start as characters,
// and the neighbours whose joined text is the token with the highest score merge first. A character that is no token is
// spelled with byte tokens. Only normal tokens can come out of merging: "<s>" in a text is plain text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/byte_fallback.hpp"
#include "text/hash_index.hpp"
#include "text/merge_engine.hpp"
#include "text/vocabulary.hpp"
#include "text/word_cache.hpp"

namespace tern::text {

class SentencePieceBpe {
 public:
  static constexpr bool kReadsMarks = false;  // makes them itself

  /// Borrows the strings of `vocabulary.tokens`, which must outlive this object.
  [[nodiscard]] static Result<SentencePieceBpe> make(const Vocabulary& vocabulary);

  /// The state of one call; keeps views into the texts it is given.
  struct Run {
    explicit Run(const SentencePieceBpe&) {}
    WordCache cache;
    MergeEngine engine;
    std::vector<Symbol> symbols;
    std::vector<std::int32_t> ids;
    std::string escaped;
  };

  /// Appends the ids of plain text to `out`; a space prefix is already part of the text.
  [[nodiscard]] Result<void> encode(std::string_view text, Run& run, std::vector<std::int32_t>& out) const;

  /// The id of a normal token by its stored spelling.
  [[nodiscard]] const StringIndex& index() const { return index_; }

  /// The fallback token of one byte, or -1.
  [[nodiscard]] std::int32_t byte_id(unsigned char byte) const { return fallback_.id(byte); }

 private:
  [[nodiscard]] Result<void> encode_word(std::string_view word, Run& run) const;
  [[nodiscard]] std::string_view next_word(std::string_view text) const;

  StringIndex index_;
  std::vector<std::uint32_t> ranks_;  // [n_tokens] 0 is the highest score
  ByteFallback fallback_;
  std::size_t longest_token_ = 0;  // bytes
  bool words_are_independent_ = false;
};

}  // namespace tern::text
