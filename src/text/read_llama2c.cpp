// llama2.c's tokenizer.bin: int32 longest token, then for each token float32 score, int32 length, bytes, to the end of
// the file. It is a SentencePiece vocabulary with U+2581 written as a space and newlines around "<s>" and "</s>".
#include <algorithm>
#include <cmath>

#include "base/byte_cursor.hpp"
#include "text/detect.hpp"
#include "text/readers.hpp"
#include "text/sentencepiece_bpe.hpp"
#include "text/space_mark.hpp"

namespace tern::text {

Result<Vocabulary> read_llama2c_tokenizer(Bytes bytes) {
  ByteCursor cursor(bytes);
  TERN_TRY(const std::int32_t longest, cursor.read<std::int32_t>("the longest token's length"));
  if (longest < 1) {
    return fail(ErrorCode::bad_input, "the longest token has length {}, expected at least 1", longest);
  }
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::spm;
  vocabulary.pre = "default";
  vocabulary.source = "llama2.c tokenizer";
  while (cursor.remaining() != 0) {
    const std::size_t id = vocabulary.size();
    TERN_TRY(const float score, cursor.read<float>(fmt::format("the score of token {}", id)));
    TERN_TRY(const std::int32_t length, cursor.read<std::int32_t>(fmt::format("the length of token {}", id)));
    if (std::isnan(score)) return fail(ErrorCode::bad_input, "the score of token {} is not a number", id);
    if (length < 0 || length > longest) {
      return fail(ErrorCode::bad_input, "token {} has length {}, expected 0 to {} (the file's longest)", id, length,
                  longest);
    }
    TERN_TRY(const Bytes taken, cursor.take(static_cast<std::uint64_t>(length), fmt::format("token {}", id)));
    std::string_view piece = as_text(taken);
    TokenType type = TokenType::normal;
    if (id == 0) {
      type = TokenType::unknown;
    } else if (id <= 2) {
      type = TokenType::control;
      while (piece.starts_with('\n')) piece.remove_prefix(1);
      while (piece.ends_with('\n')) piece.remove_suffix(1);
    } else if (byte_of_name(piece)) {
      type = TokenType::byte;
    }
    vocabulary.tokens.push_back(spaces_to_marks(piece));
    vocabulary.scores.push_back(score);
    vocabulary.types.push_back(type);
  }
  if (vocabulary.size() < 3) {
    return fail(ErrorCode::bad_input, "a llama2.c tokenizer needs at least 3 tokens (unk, bos, eos), this has {}",
                vocabulary.size());
  }
  vocabulary.unk = 0;
  vocabulary.bos = 1;
  vocabulary.eos = 2;
  vocabulary.add_bos = true;
  vocabulary.add_space_prefix = true;
  return vocabulary;
}

namespace {

// A longest-token length that the first three tokens keep to.
bool looks_like_llama2c(Bytes bytes) {
  ByteCursor cursor(bytes);
  const auto longest = cursor.read<std::int32_t>("longest");
  if (!longest || *longest < 1 || *longest > 1 << 20) return false;
  for (int i = 0; i < 3; ++i) {
    if (!cursor.read<float>("score")) return false;
    const auto length = cursor.read<std::int32_t>("length");
    if (!length || *length < 0 || *length > *longest) return false;
    if (!cursor.take(static_cast<std::uint64_t>(*length), "token")) return false;
  }
  return true;
}

}  // namespace

const TokenizerFile kLlama2cTokenizerFile{.what = "a llama2.c tokenizer",
                                          .names = {"tokenizer.bin"},
                                          .looks_like = looks_like_llama2c,
                                          .read = [](const TokenizerInput& input) {
                                            return configured(read_llama2c_tokenizer(input.bytes),
                                                              input.tokenizer_config);
                                          }};

}  // namespace tern::text
