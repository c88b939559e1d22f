// A kind of file that holds a tokenizer: where it lies, how it is told from others, who reads it. Each reader's file
// ends with its record; kTokenizerFiles (text/detect.hpp) lists them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "text/readers.hpp"

namespace tern::text {

struct TokenizerInput {
  Bytes bytes;
  Bytes companion = {};         // the file beside it that the kind needs
  Bytes tokenizer_config = {};  // tokenizer_config.json; may be empty
  std::optional<std::string_view> pre = {};
};

struct TokenizerFile {
  std::string_view what;                       // "a SentencePiece model"
  std::array<std::string_view, 3> names = {};  // in a model's folder; "" for none
  bool (*looks_like)(Bytes) = nullptr;         // by content; null: like any other text, told by its name alone
  std::string_view companion = {};             // "merges.txt"; "" where it stands for itself
  bool states_pre = false;                     // it names or spells out its pre-tokeniser
  Result<Vocabulary> (*read)(const TokenizerInput& input) = nullptr;
};

}  // namespace tern::text
