// The tokenizer files of a Hugging Face folder: found and understood, then copied as they are. A tokenizer.json that
// comes alone gets the tokenizer_config.json that transformers wants beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace tern::convert {

struct TokenizerFiles {
  std::vector<std::pair<std::string, std::string>> copies;  // name in the folder, path to take it from
  std::string written_config;                               // tokenizer_config.json where there is none; else ""
  std::optional<std::int64_t> bos, eos, pad, eot;
  std::vector<std::string> warnings;
};

/// `path`: a folder that holds such files, or one file (a tokenizer.json under any name, or one under its usual name).
/// Errors: those of reading the tokenizer; bad_input for more tokens than the model has rows; not_found where a folder
/// has none of the files.
[[nodiscard]] Result<TokenizerFiles> find_tokenizer_files(const std::string& path, std::int64_t n_vocab,
                                                          std::int64_t n_ctx);

}  // namespace tern::convert
