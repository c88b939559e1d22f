// Which kind of tokenizer file some bytes are, by content alone: names mislead (both a tiktoken rank file and a
// SentencePiece model are published as tokenizer.model). It only looks; the reader then checks.
#pragma once

#include <optional>
#include <string_view>

#include "text/readers.hpp"

namespace tern::text {

enum class SourceKind {
  unknown,
  gguf,            // recognised so that a caller can send it to its reader; not read in this room
  tokenizer_json,  // Hugging Face tokenizer.json
  vocab_json,      // token -> id; needs a merges file beside it
  sentencepiece,
  llama2c,
  tiktoken,
};

[[nodiscard]] SourceKind detect_source(Bytes bytes);

/// "a SentencePiece model"
[[nodiscard]] std::string_view describe(SourceKind kind);

/// detect_source and the fitting reader, for sources of one file. `pre` overrides the pre-tokeniser of tiktoken ranks
/// and of byte-level tokenizer.json; `tokenizer_config` may be empty.
[[nodiscard]] Result<Vocabulary> read_vocabulary(Bytes bytes, std::optional<std::string_view> pre = std::nullopt,
                                                 Bytes tokenizer_config = {});

}  // namespace tern::text
