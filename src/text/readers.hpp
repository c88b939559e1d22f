// Vocabularies from bytes, one reader a source. None of them opens a file or looks at a name; which reader fits is told
// by text/detect.hpp. Every byte sequence gives a vocabulary or one line of error; nothing is allocated that the bytes
// do not pay for. Tokenizer::make makes the final check.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "text/vocabulary.hpp"

namespace tern::text {

using Bytes = std::span<const std::byte>;

/// Hugging Face tokenizer.json with a model of type WordPiece, Unigram or BPE, the last byte-level (with any
/// pre-tokeniser of text/tokenizer_json_pre.hpp, or the one named by `pre`) or SentencePiece-like (byte_fallback).
/// `tokenizer_config` (tokenizer_config.json) may be empty.
[[nodiscard]] Result<Vocabulary> read_tokenizer_json(Bytes bytes, Bytes tokenizer_config = {},
                                                     std::optional<std::string_view> pre = std::nullopt);

/// BERT's vocab.txt, a token a line. `tokenizer_config` (do_lower_case, ...) may be empty.
[[nodiscard]] Result<Vocabulary> read_vocab_txt(Bytes bytes, Bytes tokenizer_config = {});

/// A SentencePiece model (protobuf) of type BPE or unigram, with its character map. A BPE model without a map keeps
/// extra spaces whatever it says, as llama.cpp and llama2.c do; all others follow remove_extra_whitespaces.
[[nodiscard]] Result<Vocabulary> read_sentencepiece(Bytes bytes);

/// llama2.c's tokenizer .bin: the vocabulary ends where the file ends; ids 0, 1, 2 are unk, bos, eos.
[[nodiscard]] Result<Vocabulary> read_llama2c_tokenizer(Bytes bytes);

/// tiktoken ranks: lines of base64 and a rank. Without `pre` it follows from the number of ranks (Qwen's 151,643:
/// qwen2; else llama-bpe). The merges list that GGUF wants is derived. The published control tokens are added to the
/// vocabularies of LLaMA 3 (128,000 ranks) and Qwen.
[[nodiscard]] Result<Vocabulary> read_tiktoken(Bytes bytes, std::optional<std::string_view> pre = std::nullopt);

/// vocab.json (token -> id, byte alphabet) with merges.txt. Without `pre` it follows from the number of tokens
/// (LLaMA 3's and Qwen's known sizes; else gpt-2).
[[nodiscard]] Result<Vocabulary> read_vocab_merges(Bytes vocab_json, Bytes merges_txt,
                                                   std::optional<std::string_view> pre = std::nullopt);

/// Puts what tokenizer_config.json says (bos, eos, unk, pad, add_bos_token, add_eos_token, chat_template) into a
/// vocabulary read from elsewhere. Names that the vocabulary does not have are left out.
[[nodiscard]] Result<void> apply_tokenizer_config(Vocabulary& vocabulary, Bytes tokenizer_config);
/// The same on what a reader gave, if there is such a file.
[[nodiscard]] Result<Vocabulary> configured(Result<Vocabulary> vocabulary, Bytes tokenizer_config);

}  // namespace tern::text
