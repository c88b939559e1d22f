// Collects tokens that arrive with ids in any order (vocab.json, ranks, added tokens) and lays them out by id. Ids that
// occur twice or leave the vocabulary mostly empty are refused, so a few bytes of input cannot ask for much memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

class VocabularyBuilder {
 public:
  /// A token that must be new.
  [[nodiscard]] Result<void> add(std::uint64_t id, std::string token, TokenType type);

  /// A token that may be there already under this id with the same spelling; then only its type changes.
  [[nodiscard]] Result<void> add_or_retype(std::uint64_t id, std::string token, TokenType type);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// Fills tokens and types of `vocabulary`; free ids become unused "[PAD7]".
  [[nodiscard]] Result<void> finish(Vocabulary& vocabulary);

 private:
  struct Entry {
    std::string token;
    TokenType type = TokenType::normal;
  };
  std::unordered_map<std::uint32_t, Entry> entries_;
  std::uint32_t highest_ = 0;
};

/// Fills in what a source left open: bos, eos, unk and eot by the names that published vocabularies give them.
void guess_special_ids(Vocabulary& vocabulary);

/// The pre-tokeniser of a published vocabulary of this size; `otherwise` for all others.
[[nodiscard]] std::string_view pre_of_known_size(std::size_t n_tokens, std::string_view otherwise);

}  // namespace tern::text
