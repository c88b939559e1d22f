// Word counting and BPE training where their edges are; equality with the tokenizers library is a golden test.
#include "text/bpe_trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "text/readers.hpp"
#include "text/tokenizer.hpp"
#include "text/write_tokenizer_json.hpp"

namespace tern::text {
namespace {

WordCounts counts_of(std::initializer_list<std::pair<std::string_view, std::uint64_t>> words) {
  WordCounts counts;
  for (const auto& [word, n] : words) counts.add(word, n);
  return counts;
}

std::string error_of(const BpeTraining& training) {
  Progress quiet;
  const auto made = train_bpe(counts_of({{"ab", 1}}), training, quiet);
  return made ? "no error" : made.error().message;
}

TEST(WordCounts, AddUpWhoeverCounted) {
  auto one = WordCounter::make();
  auto other = WordCounter::make();
  ASSERT_TRUE(one.has_value() && other.has_value());
  ASSERT_TRUE(one->add("a rose is a rose").has_value());
  ASSERT_TRUE(other->add("is a rose").has_value());
  WordCounts sum;
  sum.add(one->counts());
  sum.add(other->counts());
  EXPECT_EQ(sum.total(), 8U);
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (const auto& entry : sum.entries()) found.emplace_back(entry.word, entry.count);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, std::uint64_t>>{
                       {"a", 1}, {" rose", 3}, {" is", 1}, {" a", 2}, {"is", 1}}));
}

TEST(WordCounts, KeepTheirWordsWhenTheTextIsGoneAndTheTableGrows) {
  WordCounts counts;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20000; ++i) {
      const std::string word = "word" + std::to_string(i);
      counts.add(word);
    }
  }
  const std::string large(200000, 'x');  // larger than a block
  counts.add(large);
  counts.add("after");
  ASSERT_EQ(counts.entries().size(), 20002U);
  for (int i = 0; i < 20000; ++i) {
    EXPECT_EQ(counts.entries()[static_cast<std::size_t>(i)].word, "word" + std::to_string(i));
    EXPECT_EQ(counts.entries()[static_cast<std::size_t>(i)].count, 2U);
  }
  EXPECT_EQ(counts.entries()[20000].word, large);
  EXPECT_EQ(counts.entries()[20001].word, "after");
}

TEST(WordCounts, ATextMayBeCutBeforeASpaceBetweenTwoLetters) {
  EXPECT_EQ(word_boundary_before("one two three", 13), 7U);
  EXPECT_EQ(word_boundary_before("one two three", 7), 7U);
  EXPECT_EQ(word_boundary_before("one two three", 6), 3U);
  EXPECT_EQ(word_boundary_before("one two three", 2), 0U);
  EXPECT_EQ(word_boundary_before("one  two", 8), 0U) << "of two spaces the second belongs to the word";
  EXPECT_EQ(word_boundary_before("one 2wo", 7), 0U);
  EXPECT_EQ(word_boundary_before("one! two", 8), 0U);
  EXPECT_EQ(word_boundary_before("a b", 3), 1U) << "the shortest";
  EXPECT_EQ(word_boundary_before("one ", 4), 0U);
  EXPECT_EQ(word_boundary_before("", 0), 0U);
}

TEST(WordCounts, CuttingThereChangesNoWord) {
  const std::string text = "It's the cat'S 12 a b\n\n c d  e f, 'tis 'twas o'clock we'Re xy z'll q\xC3\xA9 r s";
  auto whole = WordCounter::make();
  ASSERT_TRUE(whole->add(text).has_value());
  std::size_t n_cuts = 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const std::size_t cut = word_boundary_before(text, at);
    if (cut == 0) continue;
    n_cuts += cut == at ? 1 : 0;
    auto halves = WordCounter::make();
    ASSERT_TRUE(halves->add(text.substr(0, cut)).has_value() && halves->add(text.substr(cut)).has_value());
    ASSERT_EQ(halves->counts().entries().size(), whole->counts().entries().size()) << cut;
    for (std::size_t i = 0; i < whole->counts().entries().size(); ++i) {
      EXPECT_EQ(halves->counts().entries()[i].word, whole->counts().entries()[i].word) << cut;
      EXPECT_EQ(halves->counts().entries()[i].count, whole->counts().entries()[i].count) << cut;
    }
  }
  EXPECT_GE(n_cuts, 5U);
}

TEST(BpeTraining, TheMostFrequentPairComesFirstAndTheSmallerIdsAmongEquals) {
  Progress quiet;
  const auto made = train_bpe(counts_of({{"cd", 5}, {"ab", 5}, {"xyz", 7}}), {.vocab_size = 300}, quiet);
  ASSERT_TRUE(made.has_value());
  // "xy" and "yz" come 7 times each; x is before y in the alphabet. Then "xyz", then "ab" before "cd".
  EXPECT_EQ(made->merges, (std::vector<std::string>{"x y", "xy z", "a b", "c d"}));
  EXPECT_EQ(made->size(), 260U) << "there are no more pairs";
  EXPECT_FALSE(made->bos.has_value());
  EXPECT_FALSE(made->eos.has_value());
}

TEST(BpeTraining, AMergeThatSpellsATokenMakesNoSecondOne) {
  Progress quiet;
  // "abc" comes about as ab+c and as a+bc.
  const auto made = train_bpe(counts_of({{"ab", 9}, {"bc", 8}, {"abc", 3}, {"xabc", 2}, {"bcd", 1}, {"abcd", 4}}),
                              {.vocab_size = 400, .special_tokens = {"xabc"}}, quiet);
  ASSERT_TRUE(made.has_value());
  std::vector<std::string> tokens = made->tokens;
  std::ranges::sort(tokens);
  EXPECT_EQ(std::ranges::adjacent_find(tokens), tokens.end());
  EXPECT_EQ(made->tokens[0], "xabc");
}

TEST(BpeTraining, BytesBeyondAsciiAreSpelledInTheByteAlphabet) {
  Progress quiet;
  const auto made = train_bpe(counts_of({{" \xC3\xA9", 2}}), {.vocab_size = 257}, quiet);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->tokens.back(), "\xC3\x83\xC2\xA9");
}

TEST(BpeTraining, SaysWhatASettingShouldBe) {
  EXPECT_EQ(error_of({.vocab_size = 257, .special_tokens = {"<s>", "</s>"}}),
            "the vocabulary size is 257, expected 258 or more: the 256 bytes and 2 special tokens are always there");
  EXPECT_EQ(error_of({.vocab_size = 258, .special_tokens = {"<s>", "</s>"}}), "no error");
  EXPECT_EQ(error_of({.vocab_size = std::size_t{1} << 40}).substr(0, 40), "the vocabulary size is 1099511627776, ex");
  EXPECT_EQ(error_of({.vocab_size = 300, .special_tokens = {""}}),
            "a special token is empty, expected a name such as <|end|>");
  EXPECT_EQ(error_of({.vocab_size = 300, .special_tokens = {"a", "b", "a"}}),
            "the special token \"a\" is named twice, expected once");
}

TEST(BpeTraining, StopsWhenAsked) {
  struct Impatient final : Progress {
    [[nodiscard]] bool cancelled() const override { return true; }
  } progress;
  const auto made = train_bpe(counts_of({{"ab", 1}}), {.vocab_size = 300}, progress);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::cancelled);
}

TEST(TokenizerJson, SaysWhichTokensStandAroundAText) {
  Progress quiet;
  auto made = train_bpe(counts_of({{"ab", 2}}), {.vocab_size = 300, .special_tokens = {"<s>", "</s>", "<pad>"}}, quiet);
  ASSERT_TRUE(made.has_value());
  made->pad = 2;
  const std::string config = tokenizer_config_text(*made, 256);
  for (const char* part : {"\"bos_token\": \"<s>\"", "\"eos_token\": \"</s>\"", "\"pad_token\": \"<pad>\"",
                           "\"model_max_length\": 256", "\"add_bos_token\": true"}) {
    EXPECT_NE(config.find(part), std::string::npos) << part;
  }
  const auto json = tokenizer_json_text(*made);
  ASSERT_TRUE(json.has_value());
  const auto read = read_tokenizer_json(std::as_bytes(std::span(*json)), std::as_bytes(std::span(config)));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->bos, 0);
  EXPECT_EQ(read->eos, 1);
  EXPECT_EQ(read->pad, 2);
  EXPECT_EQ(read->pre, kTrainingPre);
  EXPECT_TRUE(read->add_bos);
  EXPECT_FALSE(read->add_eos);
  const auto tokenizer = Tokenizer::make(*read);
  ASSERT_TRUE(tokenizer.has_value());
  EXPECT_EQ(tokenizer->encode("ab", {.add_bos = true}), (std::vector<std::int32_t>{0, 259}));
}

TEST(TokenizerJson, RefusesWhatItCannotSpell) {
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::unigram;
  vocabulary.source = "a SentencePiece model";
  auto error = tokenizer_json_text(vocabulary);
  ASSERT_FALSE(error.has_value());
  EXPECT_EQ(error.error().message,
            "only byte-level BPE without a normaliser can be written as a tokenizer.json, not a SentencePiece model");
  Progress quiet;
  vocabulary = *train_bpe(counts_of({{"ab", 2}}), {.vocab_size = 300}, quiet);
  vocabulary.pre = "falcon";
  error = tokenizer_json_text(vocabulary);
  ASSERT_FALSE(error.has_value());
  EXPECT_NE(error.error().message.find("falcon"), std::string::npos);
}

}  // namespace
}  // namespace tern::text
