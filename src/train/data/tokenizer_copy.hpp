// A data set's own copy of the tokenizer that made it, so that the set stands alone. Files are copied as they are; of
// a GGUF model only the tokenizer is taken, as a GGUF file without tensors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sys/atomic_folder.hpp"
#include "text/vocabulary.hpp"

namespace tern::train {

/// What the tokenizer of a GGUF model is copied to.
inline constexpr std::string_view kTokenizerGgufName = "tokenizer.gguf";

struct CopiedTokenizer {
  std::string file;        // its name in the folder
  std::uint64_t hash = 0;  // ContentHash
};

/// `path`: what models::read_tokenizer took to read `vocabulary`. tokenizer_config.json and a companion (merges.txt) go
/// along. Errors: io, not_found.
[[nodiscard]] Result<CopiedTokenizer> copy_tokenizer(const std::string& path, const text::Vocabulary& vocabulary,
                                                     const sys::AtomicFolder& folder);

/// Every name that a file of such a copy may have.
[[nodiscard]] std::vector<std::string> tokenizer_file_names();

}  // namespace tern::train
