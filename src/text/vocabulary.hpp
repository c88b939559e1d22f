// What a tokenizer knows, as plain data: tokens, scores, types, merges, special ids, rules. Every source
// (tokenizer.json, SentencePiece, llama2.c, tiktoken, vocab + merges, GGUF) is read into this struct, and it can be
// written as GGUF keys without loss. It is not a tokenizer: it does nothing. Token types are numbered as in GGUF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tern::text {

/// What follows from each is its record in text/token_models.hpp.
enum class TokenizerKind {
  bpe,        // byte-level BPE
  spm,        // SentencePiece BPE with byte fallback
  wordpiece,  // BERT's longest match first
  unigram,    // SentencePiece unigram, the likeliest segmentation
};

enum class TokenType : std::int32_t {
  normal = 1,
  unknown = 2,
  control = 3,       // never made from plain text, never rendered unless asked
  user_defined = 4,  // an added word: always taken whole, rendered as it stands
  unused = 5,        // a padding entry
  byte = 6,          // "<0xAB>": one byte of the fallback
};

struct Vocabulary {
  TokenizerKind kind = TokenizerKind::bpe;

  /// [n_tokens]. bpe: normal tokens are spelled in the printable byte alphabet (text/byte_alphabet.hpp), as GGUF and
  /// Hugging Face store them; spm, unigram: U+2581 stands for a space; wordpiece, as GGUF has it: U+2581 before the
  /// first piece of a word, nothing before a continuation. Control and user-defined tokens are spelled as they are.
  std::vector<std::string> tokens;
  std::vector<float> scores;     // [n_tokens] for spm (higher merges first) and unigram (log probability); else empty
  std::vector<TokenType> types;  // [n_tokens]; empty means all normal
  std::vector<std::string> merges;  // bpe: "a b", in order of rank; empty for spm

  /// GGUF's name of the pre-tokeniser: "gpt-2", "llama-bpe", "qwen2", "falcon", ...; "default" for spm, wordpiece and
  /// unigram; kCustomPre where `pre_tokenizer` holds the rules.
  std::string pre;
  /// Rules that no name stands for, as the section "pre_tokenizer" of a Hugging Face tokenizer.json spells them (JSON).
  std::string pre_tokenizer;
  /// bpe: whether a word that is a token as a whole is taken without merging, where it is not what `pre` implies.
  std::optional<bool> ignore_merges;
  /// What is done to a text before it is split, as the section "normalizer" of tokenizer.json spells it (JSON); "" for
  /// nothing beyond what the kind implies.
  std::string normalizer;
  /// spm, unigram: SentencePiece's compiled character map (tokenizer.ggml.precompiled_charsmap), applied before
  /// `normalizer`; or empty.
  std::vector<std::uint8_t> charsmap;
  /// spm, unigram: after both, spaces at the ends go and a run of them becomes one.
  bool remove_extra_whitespaces = false;
  /// unigram from tokenizer.json: the scores as that file has them, where float32 cannot hold one; else empty.
  std::vector<double> exact_scores;
  /// wordpiece: a word of more characters is the unknown token.
  std::uint32_t max_word_characters = 100;

  std::optional<std::int32_t> bos, eos, unk, pad;  // wordpiece: bos is "[CLS]", eos "[SEP]"
  std::optional<std::int32_t> mask;                // wordpiece: "[MASK]"
  std::optional<std::int32_t> eot;                 // end of a chat turn, where it is not eos

  bool add_bos = false;           // whether texts start with bos (tokenizer.ggml.add_bos_token)
  bool add_eos = false;           // whether texts end with eos
  bool add_space_prefix = false;  // whether a space is put before a text (usual for spm)

  std::string chat_template;  // Jinja source, or empty
  std::string source;         // what this was read from, for people: "tokenizer.json (byte-level BPE)"

  [[nodiscard]] std::size_t size() const { return tokens.size(); }
  [[nodiscard]] TokenType type(std::size_t id) const { return types.empty() ? TokenType::normal : types[id]; }
};

/// Vocabulary::pre of a vocabulary that brings its own pre-tokeniser rules.
inline constexpr std::string_view kCustomPre = "custom";

/// Whether BOS is put in front when the source does not say: SentencePiece BPE, WordPiece and llama-bpe yes, all others
/// no.
[[nodiscard]] bool default_add_bos(TokenizerKind kind, std::string_view pre);

/// Whether EOS is put at the end when the source does not say: WordPiece and unigram (T5) only.
[[nodiscard]] bool default_add_eos(TokenizerKind kind);

/// Whether a text's first token brings a space that the text did not have, which decoding takes off again.
[[nodiscard]] bool begins_with_added_space(const Vocabulary& vocabulary);

/// Sizes, types and special ids fit together; what is inside tokens, merges and rules is checked by who uses them.
[[nodiscard]] Result<void> check_vocabulary(const Vocabulary& vocabulary);

}  // namespace tern::text
