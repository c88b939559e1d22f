// Both kinds of BPE on vocabularies small enough to follow by hand.
#include "text/tokenizer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/tokenizers.hpp"

namespace tern::text {
namespace {

using test::error_of;
using test::Pieces;
using test::pieces_of;

TEST(ByteLevelBpe, MergesByRankWithinWords) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  EXPECT_EQ(pieces_of(tokenizer, "hello world"), (Pieces{"hello", " world"}));
  EXPECT_EQ(pieces_of(tokenizer, "hell"), (Pieces{"hell"}));
  EXPECT_EQ(pieces_of(tokenizer, "hel"), (Pieces{"he", "l"}));
  EXPECT_EQ(pieces_of(tokenizer, "aaa"), (Pieces{"aa", "a"}));
  EXPECT_EQ(pieces_of(tokenizer, ""), Pieces{});
  EXPECT_EQ(tokenizer.encode("hello"), (std::vector<std::int32_t>{259}));
}

TEST(ByteLevelBpe, GivesBackEveryByteSequence) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  std::string all;
  for (int a = 0; a < 256; ++a) {
    for (const int b : {0, 32, 97, 128, 191, 195, 226, 240, 255}) {
      all.push_back(static_cast<char>(a));
      all.push_back(static_cast<char>(b));
    }
  }
  const auto ids = tokenizer.encode(all);
  ASSERT_TRUE(ids.has_value());
  EXPECT_EQ(tokenizer.decode(*ids), all);
}

TEST(ByteLevelBpe, SpellsBrokenUtf8ByteByByte) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  EXPECT_EQ(tokenizer.encode("hello\xFF\xC3 hello"), (std::vector<std::int32_t>{259, 255, 195, 32, 259}));
}

TEST(ByteLevelBpe, TakesAWholeWordAsItIsOnlyForLlamaBpe) {
  // "abc" is a token that no merge makes.
  for (const std::string pre : {"llama-bpe", "gpt-2"}) {
    Vocabulary vocabulary = test::bpe_vocabulary(pre);
    vocabulary.tokens.emplace_back("abc");
    vocabulary.types.push_back(TokenType::normal);
    const Tokenizer tokenizer = test::make(vocabulary);
    const Pieces expected = pre == "llama-bpe" ? Pieces{"abc"} : Pieces{"a", "b", "c"};
    EXPECT_EQ(pieces_of(tokenizer, "abc"), expected) << pre;
  }
}

TEST(ByteLevelBpe, SaysWhichByteItCannotSpell) {
  Vocabulary vocabulary = test::bpe_vocabulary();
  vocabulary.types['z'] = TokenType::unused;
  Tokenizer tokenizer = test::make(vocabulary);
  EXPECT_NE(error_of(tokenizer.encode("xyz")).find("byte 0x7A"), std::string::npos);
  EXPECT_TRUE(tokenizer.encode("xy").has_value());
  vocabulary.unk = 63;  // '?'
  EXPECT_EQ(pieces_of(test::make(vocabulary), "xyz"), (Pieces{"x", "y", "?"}));
}

TEST(ByteLevelBpe, RefusesMergesThatTheVocabularyCannotHold) {
  const auto error_with = [](const std::string& merge) {
    Vocabulary vocabulary = test::bpe_vocabulary();
    vocabulary.merges.push_back(merge);
    return error_of(Tokenizer::make(vocabulary));
  };
  EXPECT_NE(error_with("ab").find("one space"), std::string::npos);
  EXPECT_NE(error_with("a b c").find("one space"), std::string::npos);
  EXPECT_NE(error_with(" b").find("one space"), std::string::npos);
  EXPECT_NE(error_with("a z").find("its result"), std::string::npos);
  EXPECT_NE(error_with("zz a").find("its left part"), std::string::npos);
  EXPECT_NE(error_with("a zz").find("its right part"), std::string::npos);
  EXPECT_NE(error_with("a \u4E1C").find("byte alphabet"), std::string::npos);
}

TEST(SpecialTokensInText, ArePlainTextUnlessAskedFor) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  const std::int32_t end = *tokenizer.find_special("<|end|>");
  const auto plain = tokenizer.encode("hello<|end|>");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(std::ranges::count(*plain, end), 0);
  EXPECT_EQ(tokenizer.encode("hello<|end|>hello", {.parse_special = true}), (std::vector<std::int32_t>{259, end, 259}));
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode("a<|end|>", {.parse_special = true})), "a");
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode("a<|end|>", {.parse_special = true}), true), "a<|end|>");
}

TEST(SpecialTokensInText, UserDefinedOnesAreAlwaysTakenWhole) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  EXPECT_EQ(pieces_of(tokenizer, "a[[x]]b"), (Pieces{"a", "[[x]]", "b"}));
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode("a[[x]]b")), "a[[x]]b");
}

TEST(Tokenizer, AddsBosAndEosWhereAsked) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  EXPECT_EQ(pieces_of(tokenizer, "a", {.add_bos = true, .add_eos = true}), (Pieces{"<|begin|>", "a", "<|end|>"}));
  Vocabulary none = test::bpe_vocabulary();
  none.bos.reset();
  EXPECT_NE(error_of(test::make(none).encode("a", {.add_bos = true})).find("no bos token"), std::string::npos);
}

TEST(Tokenizer, RefusesVocabulariesThatDoNotFitTogether) {
  const auto error_when = [](auto change, Vocabulary vocabulary = test::spm_vocabulary()) {
    change(vocabulary);
    return error_of(Tokenizer::make(std::move(vocabulary)));
  };
  EXPECT_NE(error_when([](Vocabulary& v) { v.tokens.clear(); }).find("no tokens"), std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.scores.pop_back(); }).find("scores"), std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.types.pop_back(); }).find("token types"), std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.types[3] = static_cast<TokenType>(9); }).find("type 9"),
            std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.bos = 100000; }).find("bos token is 100000"), std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.eos = -1; }).find("eos token is -1"), std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.scores[5] = std::numeric_limits<float>::quiet_NaN(); }).find("token 5"),
            std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.tokens[3] = "<0xZZ>"; }).find("byte token 3"), std::string::npos);
  EXPECT_NE(error_when([](Vocabulary& v) { v.pre = "nobody-knows"; }, test::bpe_vocabulary()).find("pre-tokeniser"),
            std::string::npos);
}

TEST(Tokenizer, FindsTokensByTheirBytes) {
  const Tokenizer bpe = test::make(test::bpe_vocabulary());
  EXPECT_EQ(bpe.find(" world"), 264);
  EXPECT_EQ(bpe.find("<|begin|>"), bpe.vocabulary().bos);
  EXPECT_EQ(bpe.find("nothing"), std::nullopt);
  EXPECT_EQ(bpe.find_special(" world"), std::nullopt);
  const Tokenizer spm = test::make(test::spm_vocabulary());
  EXPECT_EQ(spm.find(" ab"), 261);
  EXPECT_EQ(spm.find("\n"), 3 + 10);
  EXPECT_EQ(spm.find("<s>"), 1);
  EXPECT_EQ(spm.piece(-1), "");
  EXPECT_EQ(spm.piece(100000), "");
}

TEST(Tokenizer, StopsAtEosAndAtTheKnownEndsOfATurn) {
  Vocabulary vocabulary = test::bpe_vocabulary();
  vocabulary.tokens.emplace_back("<|eot_id|>");
  vocabulary.types.push_back(TokenType::control);
  const Tokenizer tokenizer = test::make(vocabulary);
  const auto eot = static_cast<std::int32_t>(vocabulary.size()) - 1;
  EXPECT_TRUE(tokenizer.is_end_of_generation(eot));
  EXPECT_TRUE(tokenizer.is_end_of_generation(*vocabulary.eos));
  EXPECT_FALSE(tokenizer.is_end_of_generation(*vocabulary.bos));
  EXPECT_EQ(tokenizer.end_of_generation_ids().size(), 2U);
}

TEST(SentencePieceBpe, MergesTheHighestScoreFirst) {
  const Tokenizer tokenizer = test::make(test::spm_vocabulary());
  // " a" has the best score, so " ab" is made from it and not from "ab".
  EXPECT_EQ(pieces_of(tokenizer, "ab"), (Pieces{" ab"}));
  EXPECT_EQ(pieces_of(tokenizer, "ab ab"), (Pieces{" ab", " ab"}));
  EXPECT_EQ(pieces_of(tokenizer, "xab"), (Pieces{" ", "x", "ab"}));
  EXPECT_EQ(pieces_of(tokenizer, ""), Pieces{});
}

TEST(SentencePieceBpe, PutsASpaceInFrontOnlyWhereTheVocabularySaysSo) {
  Vocabulary vocabulary = test::spm_vocabulary();
  vocabulary.add_space_prefix = false;
  const Tokenizer tokenizer = test::make(vocabulary);
  EXPECT_EQ(pieces_of(tokenizer, "ab"), (Pieces{"ab"}));
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode(" ab")), " ab");
}

TEST(SentencePieceBpe, TakesTheSpaceOffAgain) {
  const Tokenizer tokenizer = test::make(test::spm_vocabulary());
  for (const std::string text : {"ab", " ab", "    ab", "", " ", "a\nb", "\xF0\x9F\x98\x80", "\xFF\xFE x"}) {
    const auto ids = tokenizer.encode(text, {.add_bos = true});
    ASSERT_TRUE(ids.has_value());
    EXPECT_EQ(tokenizer.decode(*ids), text);
  }
}

TEST(SentencePieceBpe, FallsBackToBytesAndThenToUnknown) {
  const Tokenizer tokenizer = test::make(test::spm_vocabulary());
  EXPECT_EQ(tokenizer.encode("\u20AC"), (std::vector<std::int32_t>{266, 3 + 0xE2, 3 + 0x82, 3 + 0xAC}));
  EXPECT_EQ(pieces_of(tokenizer, "\u00E9"), (Pieces{" ", "\u00E9"}));
  Vocabulary no_bytes = test::spm_vocabulary();
  for (TokenType& type : no_bytes.types) {
    if (type == TokenType::byte) type = TokenType::unused;
  }
  // A run of unknown characters is one unknown token.
  EXPECT_EQ(pieces_of(test::make(no_bytes), "\u20AC\u20ACa"), (Pieces{" ", "<unk>", "a"}));
  no_bytes.unk.reset();
  EXPECT_NE(error_of(test::make(no_bytes).encode("\u20AC")).find("byte 0xE2"), std::string::npos);
}

TEST(SentencePieceBpe, NeverMakesAControlTokenFromPlainText) {
  const Tokenizer tokenizer = test::make(test::spm_vocabulary());
  EXPECT_EQ(pieces_of(tokenizer, "<s>"), (Pieces{" ", "<s", ">"}));
  EXPECT_EQ(tokenizer.encode("<s>", {.parse_special = true}), (std::vector<std::int32_t>{1}));
  // After a special token the space prefix comes again.
  EXPECT_EQ(pieces_of(tokenizer, "<s>ab", {.parse_special = true}), (Pieces{"<s>", " ab"}));
}

TEST(SentencePieceBpe, GivesTheSameIdsWhetherOrNotTokensSpanWords) {
  // A token with a space inside switches the cutting into words off; as nothing else can make it, ids stay the same.
  Vocabulary whole = test::spm_vocabulary();
  whole.tokens.emplace_back("q\xE2\x96\x81q");
  whole.scores.push_back(-50);
  whole.types.push_back(TokenType::normal);
  const Tokenizer one = test::make(whole);
  const Tokenizer words = test::make(test::spm_vocabulary());
  for (const std::string text : {"ab a  ab", "   a b    ab ", "<s x\u00E9 ab\xFF a", "    ", "a\u2581\u2581ab"}) {
    EXPECT_EQ(one.encode(text).value(), words.encode(text).value()) << text;
  }
}

}  // namespace
}  // namespace tern::text
