// The models WordPiece and Unigram of a Hugging Face tokenizer.json: their tokens and settings. The caller reads the
// rest of the file. Only for this room.
#pragma once

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "text/vocabulary.hpp"
#include "text/vocabulary_builder.hpp"

namespace tern::text {

/// Adds the tokens of model.vocab in the spelling that Vocabulary::tokens has for WordPiece: U+2581 where a word
/// begins, nothing where one goes on. `added`: names of the added tokens, which are no parts of words.
[[nodiscard]] Result<void> read_wordpiece_model(const nlohmann::json& model, const std::vector<std::string_view>& added,
                                                VocabularyBuilder& builder, Vocabulary& vocabulary);

/// How Vocabulary::tokens spells an entry of a WordPiece vocabulary ("##ing", "the", "[unused0]").
[[nodiscard]] std::string wordpiece_spelling(std::string_view entry, std::string_view continuing_prefix);

/// Adds the tokens of model.vocab and sets scores, exact_scores and unk.
[[nodiscard]] Result<void> read_unigram_model(const nlohmann::json& model, VocabularyBuilder& builder,
                                              Vocabulary& vocabulary);

}  // namespace tern::text
