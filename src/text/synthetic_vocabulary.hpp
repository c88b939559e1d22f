// A byte-level BPE vocabulary of any size that no text was needed for: the 256 bytes, then short words of the Latin
// letters, each made by one merge of a shorter one and a letter. It tokenizes and spells any text, tokens are as long
// as a trained vocabulary's on nonsense and shorter on prose; for models with random weights.
#pragma once

#include <cstddef>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

/// The bytes and two control tokens.
inline constexpr std::size_t kSmallestSynthetic = 258;

/// Of `n_tokens` tokens, the last two being BOS and EOS; with LLaMA 3's pre-tokeniser. Errors: usage for fewer than
/// kSmallestSynthetic, or more words than there are of five letters.
[[nodiscard]] Result<Vocabulary> synthetic_vocabulary(std::size_t n_tokens);

}  // namespace tern::text
