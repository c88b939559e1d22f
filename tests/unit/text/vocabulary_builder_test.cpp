#include "text/vocabulary_builder.hpp"

#include <gtest/gtest.h>

namespace tern::text {
namespace {

Vocabulary of_control_tokens(TokenizerKind kind, std::vector<std::string> tokens) {
  Vocabulary vocabulary;
  vocabulary.kind = kind;
  vocabulary.types.assign(tokens.size(), TokenType::control);
  vocabulary.tokens = std::move(tokens);
  return vocabulary;
}

TEST(GuessSpecialIds, KnowsTheUsualNamesOfEachKind) {
  Vocabulary bert = of_control_tokens(TokenizerKind::wordpiece, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"});
  guess_special_ids(bert);
  EXPECT_EQ(bert.pad, 0);
  EXPECT_EQ(bert.unk, 1);
  EXPECT_EQ(bert.bos, 2);
  EXPECT_EQ(bert.eos, 3);
  EXPECT_EQ(bert.mask, 4);
  Vocabulary spm = of_control_tokens(TokenizerKind::spm, {"<unk>", "<s>", "</s>", "[MASK]"});
  guess_special_ids(spm);
  EXPECT_EQ(spm.unk, 0);
  EXPECT_EQ(spm.bos, 1);
  EXPECT_EQ(spm.eos, 2);
  EXPECT_EQ(spm.mask, std::nullopt);
  Vocabulary bpe = of_control_tokens(TokenizerKind::bpe, {"<unk>", "<|endoftext|>"});
  guess_special_ids(bpe);
  EXPECT_EQ(bpe.unk, std::nullopt);
  EXPECT_EQ(bpe.bos, 1);
  EXPECT_EQ(bpe.eos, 1);
}

TEST(GuessSpecialIds, ATokenWithoutAnyTextIsNoneOfThem) {
  for (const TokenizerKind kind :
       {TokenizerKind::bpe, TokenizerKind::spm, TokenizerKind::wordpiece, TokenizerKind::unigram}) {
    Vocabulary vocabulary = of_control_tokens(kind, {"", "a"});
    guess_special_ids(vocabulary);
    EXPECT_EQ(vocabulary.bos, std::nullopt);
    EXPECT_EQ(vocabulary.eos, std::nullopt);
    EXPECT_EQ(vocabulary.unk, std::nullopt);
    EXPECT_EQ(vocabulary.pad, std::nullopt);
    EXPECT_EQ(vocabulary.mask, std::nullopt);
  }
}

}  // namespace
}  // namespace tern::text
