// A tokenizer from whatever a path holds: a GGUF file, tokenizer.json, a SentencePiece model, llama2.c's .bin, tiktoken
// ranks, BERT's vocab.txt, or a folder with any of them. The kind is told by content, but for vocab.txt, which is a
// list of words like any other and goes by its name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::models {

/// `pre` names the pre-tokeniser where the source leaves it open (tiktoken ranks, vocab.json + merges.txt), and goes
/// before what it says elsewhere, with a warning. Errors: usage for a name that is not known; those of the readers.
[[nodiscard]] Result<text::Vocabulary> read_tokenizer(const std::string& path, const std::optional<std::string>& pre,
                                                      std::vector<std::string>& warnings);

}  // namespace tern::models
