// A vocabulary as the files that Hugging Face programs read: tokenizer.json and, for the names of the special tokens,
// tokenizer_config.json. For byte-level BPE whose pre-tokeniser is a list of patterns; not for vocabularies that other
// programs made with rules beyond that (they keep their own file). What is written reads back as the same vocabulary.
#pragma once

#include <string>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

/// Errors: unsupported, for a kind, pre-tokeniser or normaliser that this writer does not spell.
[[nodiscard]] Result<std::string> tokenizer_json_text(const Vocabulary& vocabulary);

/// `n_ctx`: what the model that uses it was trained with; 0 leaves it out.
[[nodiscard]] std::string tokenizer_config_text(const Vocabulary& vocabulary, std::size_t n_ctx = 0);

}  // namespace tern::text
