// Byte-level BPE (GPT-2, LLaMA 3, Qwen 2): text is split by the pre-tokeniser, each word starts as its bytes and is
// merged by the ranks of the merges list. Bytes that are not UTF-8 are no part of any word: each is its own token.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/hash_index.hpp"
#include "text/merge_engine.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/vocabulary.hpp"
#include "text/word_cache.hpp"

namespace tern::text {

class ByteLevelBpe {
 public:
  /// `pieces`: [n_tokens] the raw bytes of each token; borrowed, must outlive this object.
  [[nodiscard]] static Result<ByteLevelBpe> make(const Vocabulary& vocabulary,
                                                 std::span<const std::string_view> pieces);

  /// The state of one call; keeps views into the texts it is given.
  struct Run {
    explicit Run(const ByteLevelBpe& model) : splitter(model.pre_tokenizer_) {}
    WordSplitter splitter;
    WordCache cache;
    MergeEngine engine;
    std::vector<Symbol> symbols;
    std::vector<std::int32_t> ids;
  };

  /// Appends the ids of plain text to `out`.
  [[nodiscard]] Result<void> encode(std::string_view text, Run& run, std::vector<std::int32_t>& out) const;

  /// The id of a normal token by its bytes.
  [[nodiscard]] const StringIndex& index() const { return index_; }

 private:
  explicit ByteLevelBpe(PreTokenizer pre_tokenizer) : pre_tokenizer_(std::move(pre_tokenizer)) {}
  [[nodiscard]] Result<void> add_merges(const Vocabulary& vocabulary);
  [[nodiscard]] Result<void> encode_word(std::string_view word, Run& run) const;

  PreTokenizer pre_tokenizer_;
  StringIndex index_;
  PairIndex merges_;
  std::array<std::uint32_t, 256> byte_ids_{};  // kNoId where a byte is no token
  std::optional<std::int32_t> unknown_;
  bool whole_words_ = false;
};

}  // namespace tern::text
