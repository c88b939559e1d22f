// Splits by the three published patterns. The expected words were read off the patterns' text, case by case.
#include "text/pre_tokenizer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/text/helpers.hpp"

namespace tern::text {
namespace {

std::vector<std::string> words_of(std::string_view pre, std::string_view text) {
  const auto pre_tokenizer = PreTokenizer::make(pre);
  EXPECT_TRUE(pre_tokenizer.has_value());
  WordSplitter splitter(*pre_tokenizer);
  splitter.start(text);
  std::vector<std::string> words;
  while (true) {
    const auto word = splitter.next();
    EXPECT_TRUE(word.has_value()) << test::error_of(word);
    if (!word || word->empty()) return words;
    words.emplace_back(*word);
  }
}

using Words = std::vector<std::string>;

TEST(PreTokenizer, PutsOneSpaceBeforeAWordAndTheOthersApart) {
  for (const std::string_view pre : PreTokenizer::names()) {
    EXPECT_EQ(words_of(pre, "a  bc"), (Words{"a", " ", " bc"})) << pre;
    EXPECT_EQ(words_of(pre, "a  "), (Words{"a", "  "})) << pre;
    EXPECT_EQ(words_of(pre, ""), Words{}) << pre;
  }
}

TEST(PreTokenizer, GroupsDigitsAsEachPatternSays) {
  EXPECT_EQ(words_of("gpt-2", " 12345x"), (Words{" 12345", "x"}));
  EXPECT_EQ(words_of("llama-bpe", " 12345x"), (Words{" ", "123", "45", "x"}));
  EXPECT_EQ(words_of("qwen2", " 123"), (Words{" ", "1", "2", "3"}));
}

TEST(PreTokenizer, CutsContractionsInAnyCaseOnlyInTheNewerPatterns) {
  EXPECT_EQ(words_of("gpt-2", "I'll I'LL"), (Words{"I", "'ll", " I", "'", "LL"}));
  EXPECT_EQ(words_of("llama-bpe", "I'll I'LL"), (Words{"I", "'ll", " I", "'LL"}));
  EXPECT_EQ(words_of("qwen2", "we'Ve"), (Words{"we", "'Ve"}));
}

TEST(PreTokenizer, KeepsNewlinesWithPunctuationOrTogether) {
  EXPECT_EQ(words_of("llama-bpe", "a.\n\nb"), (Words{"a", ".\n\n", "b"}));
  EXPECT_EQ(words_of("llama-bpe", "a \n \n  b"), (Words{"a", " \n \n", " ", " b"}));
  EXPECT_EQ(words_of("gpt-2", "a.\n\nb"), (Words{"a", ".", "\n", "\n", "b"}));
}

TEST(PreTokenizer, LetsOneSignLeadAWordInTheNewerPatterns) {
  EXPECT_EQ(words_of("qwen2", "(word"), (Words{"(word"}));
  EXPECT_EQ(words_of("gpt-2", "(word"), (Words{"(", "word"}));
}

TEST(PreTokenizer, KnowsUnicodeLettersNumbersAndSpaces) {
  EXPECT_EQ(words_of("llama-bpe", "\u0391\u03B2\u03B3 \u6771\u4EAC"), (Words{"\u0391\u03B2\u03B3", " \u6771\u4EAC"}));
  EXPECT_EQ(words_of("llama-bpe", "\u0967\u0968\u0969\u096A"), (Words{"\u0967\u0968\u0969", "\u096A"}));
  // An ideographic space is white space; the Mongolian vowel separator U+180E is not, though PCRE2's own \s has it.
  EXPECT_EQ(words_of("gpt-2", "a\u3000\u3000"), (Words{"a", "\u3000\u3000"}));
  EXPECT_EQ(words_of("gpt-2", "a\u180E!"), (Words{"a", "\u180E!"}));
}

TEST(PreTokenizer, ReadsTheNamesThatConvertersWrite) {
  EXPECT_TRUE(PreTokenizer::make("llama3").has_value());
  EXPECT_TRUE(PreTokenizer::make("deepseek-r1-qwen").has_value());
  EXPECT_TRUE(PreTokenizer::takes_whole_words("llama-v3"));
  EXPECT_FALSE(PreTokenizer::takes_whole_words("gpt-2"));
  const auto unknown = PreTokenizer::make("tekken");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::unsupported);
  EXPECT_NE(unknown.error().message.find("\"tekken\""), std::string::npos);
}

}  // namespace
}  // namespace tern::text
