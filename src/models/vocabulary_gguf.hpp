// The tokenizer in a GGUF file's metadata, read into a text::Vocabulary and written back.
#pragma once

#include <string>
#include <vector>

#include "files/metadata.hpp"
#include "text/vocabulary.hpp"

namespace tern::models {

/// Errors: not_found when the file carries no tokenizer; bad_input, unsupported. What had to be guessed (a missing
/// pre-tokeniser, as in the official BitNet file) is added to `warnings`.
[[nodiscard]] Result<text::Vocabulary> read_vocabulary(const files::Metadata& metadata,
                                                       std::vector<std::string>& warnings);

/// Writes every tokenizer.* key the vocabulary has.
void write_vocabulary(const text::Vocabulary& vocabulary, files::Metadata& metadata);

}  // namespace tern::models
