// Which kind of tokenizer file some bytes are, by content: names mislead (both a tiktoken rank file and a SentencePiece
// model are published as tokenizer.model). It only looks; the reader then checks.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "text/tokenizer_file.hpp"

namespace tern::text {

extern const TokenizerFile kTokenizerJsonFile;
extern const TokenizerFile kSentencePieceFile;
extern const TokenizerFile kVocabJsonFile;
extern const TokenizerFile kLlama2cTokenizerFile;
extern const TokenizerFile kVocabTxtFile;
extern const TokenizerFile kTiktokenFile;

/// In the order in which a folder is searched.
inline constexpr std::array kTokenizerFiles{&kTokenizerJsonFile,    &kSentencePieceFile, &kVocabJsonFile,
                                            &kLlama2cTokenizerFile, &kVocabTxtFile,      &kTiktokenFile};

/// Null where the bytes are none of them. `name` (without folders) counts for the kinds that have nothing else.
[[nodiscard]] const TokenizerFile* detect_tokenizer(Bytes bytes, std::string_view name = {});

/// detect_tokenizer and its reader. `pre` names the pre-tokeniser in place of what the source says; `tokenizer_config`
/// may be empty. Errors: bad_input for content of no kind, or of a kind that needs a file beside it; the reader's.
[[nodiscard]] Result<Vocabulary> read_vocabulary(Bytes bytes, std::optional<std::string_view> pre = std::nullopt,
                                                 Bytes tokenizer_config = {});

}  // namespace tern::text
