// Splits by named rules and by rules from a file. The expected words were read off the patterns' text, case by case;
// tests/golden compares with another program.
#include "text/pre_tokenizer.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <random>
#include <set>

#include "tests/support/tokenizers.hpp"
#include "text/pre_names.hpp"
#include "text/regex_dialect.hpp"

namespace tern::text {
namespace {

template <typename NameOrRules>
std::vector<std::string> words_of(const NameOrRules& pre, std::string_view text) {
  const auto pre_tokenizer = PreTokenizer::make(pre);
  EXPECT_TRUE(pre_tokenizer.has_value()) << test::error_of(pre_tokenizer);
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
  for (const std::string_view pre : {"gpt-2", "llama-bpe", "qwen2", "gpt-4o", "starcoder", "deepseek-v3"}) {
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
  EXPECT_TRUE(PreTokenizer::takes_whole_words("tekken"));
  EXPECT_FALSE(PreTokenizer::takes_whole_words("gpt-2"));
  EXPECT_FALSE(PreTokenizer::takes_whole_words("dbrx"));
  const auto unknown = PreTokenizer::make("nobody-knows");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::unsupported);
  EXPECT_NE(unknown.error().message.find("\"nobody-knows\""), std::string::npos);
  EXPECT_NE(unknown.error().message.find("gpt-2, llama-bpe,"), std::string::npos);
}

TEST(PreTokenizer, HasEachNameOnceAndFindsEachRowByItsRules) {
  std::set<std::string_view> seen;
  for (const std::string_view name : PreTokenizer::names()) {
    const NamedPreTokenizer* row = find_pre_tokenizer(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_TRUE(seen.insert(name).second) << name;
    for (const std::string_view alias : row->aliases) {
      EXPECT_TRUE(seen.insert(alias).second) << alias;
      EXPECT_EQ(find_pre_tokenizer(alias), row);
    }
    const NamedPreTokenizer* found = find_pre_tokenizer(row->rules);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->name, name == "smaug-bpe" ? "llama-bpe" : name);  // the same rules with other habits
  }
  EXPECT_GT(seen.size(), 70U);
}

TEST(PreTokenizer, AppliesRulesInSequenceEachToThePiecesOfTheOneBefore) {
  EXPECT_EQ(words_of("starcoder", "a 12b"), (Words{"a", " ", "1", "2", "b"}));
  EXPECT_EQ(words_of("deepseek-llm", "one  two\n3.5 "), (Words{"one", " ", " two", "\n", "3", ".", "5", " "}));
  EXPECT_EQ(words_of("deepseek-coder", "f(x)\n"), (Words{"f", "(", "x", ")", "\n"}));
  EXPECT_EQ(words_of("falcon", "a...b 1234 \u00bd"), (Words{"a", "...", "b", " ", "123", "4", " \xC2", "\xBD"}));
  EXPECT_EQ(words_of("viking", "ab 12, c"), (Words{"ab", " ", "1", "2", ",", " c"}));
  EXPECT_EQ(words_of("tiny_aya", "1234567 1234x"), (Words{"1", "234", "567", " ", "123", "4", "x"}));
  EXPECT_EQ(words_of("kimi-k2", "ab\u6f22\u5b57c"), (Words{"ab", "\u6f22\u5b57", "c"}));
  EXPECT_EQ(words_of("tekken", "camelCase \u00c9t\u00c9"), (Words{"camel", "Case", " \u00c9t", "\u00c9"}));
}

TEST(PreTokenizer, RunsNoRulesAndRefusesTooMany) {
  EXPECT_EQ(words_of(PreRules{}, "all of it"), (Words{"all of it"}));
  PreRule letters;
  letters.pattern = "[a-z]";
  EXPECT_EQ(words_of(PreRules(kMaxPreRules, letters), "ab1"), (Words{"a", "b", "1"}));
  EXPECT_NE(test::error_of(PreTokenizer::make(PreRules(kMaxPreRules + 1, letters))).find("33 rules"),
            std::string::npos);
}

TEST(PreTokenizer, PutsSpacesBeforePiecesOfEverySize) {
  PreRule commas;
  commas.pattern = ",";
  PreRule space;
  space.prefix_space = true;
  EXPECT_EQ(words_of(PreRules{commas, space}, "a, b"), (Words{" a", " ,", " b"}));
  const std::string word(100'000, 'x');
  std::string text;
  Words expected;
  for (int i = 0; i < 20; ++i) {
    text += word + ",";
    expected.insert(expected.end(), {" " + word, " ,"});
  }
  EXPECT_EQ(words_of(PreRules{commas, space}, text), expected);
}

TEST(PreTokenizer, LinearSpellingsMatchWhatThePublishedOnesMatch) {
  const std::string exaone_moe = find_pre_tokenizer("exaone-moe")->rules[0].pattern;
  const std::string jais = find_pre_tokenizer("jais-2")->rules[0].pattern;
  std::mt19937 random(11);
  const Words letters = {" ", " ", "\n", "\r", "\t", "a", "b", "1", "2", "3", "4", "\u0301", "\u00bd", ".", "'", "s"};
  std::size_t n_matches = 0;
  for (const std::string& published :
       {std::string(R"(\s+$)"), std::string(R"(\d{1,3}(?=(?:\d{3})*\b))"), exaone_moe, jais}) {
    ASSERT_NE(linear_spelling(published), published);
    PreRule as_published;
    as_published.pattern = "(?:" + published + ")";  // not the spelling that is replaced
    ASSERT_EQ(linear_spelling(as_published.pattern), as_published.pattern);
    PreRule linear;
    linear.pattern = published;
    const auto slow = PreTokenizer::make(PreRules{as_published});
    const auto fast = PreTokenizer::make(PreRules{linear});
    ASSERT_TRUE(slow.has_value() && fast.has_value());
    WordSplitter a(*slow);
    WordSplitter b(*fast);
    for (int round = 0; round < 20'000; ++round) {
      std::string text;
      for (auto left = random() % 14; left > 0; --left) text += letters[random() % letters.size()];
      a.start(text);
      b.start(text);
      while (true) {
        const auto from_slow = a.next();
        const auto from_fast = b.next();
        ASSERT_TRUE(from_slow.has_value() && from_fast.has_value());
        ASSERT_EQ(*from_slow, *from_fast) << published << " on \"" << text << "\"";
        if (from_slow->empty()) break;
        ++n_matches;
      }
    }
  }
  EXPECT_GT(n_matches, 100'000U);
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Quadratic work on this many bytes takes many seconds; the slowest of these takes 30 ms.
TEST(PreTokenizer, EveryNameIsLinearOnMonotonousTexts) {
  constexpr std::size_t kBytes = std::size_t{1} << 17;
  std::vector<std::string> texts;
  for (const std::string unit :
       {"a",      "A",      " ",    "\n", "\r\n", "1",   "!",  "/",  "'",  "\u4e00", "\u3042",  "\u0301",
        "\u0661", "\u00a0", "\x01", "a ", "Aa",   " \n", "1 ", "a1", "'s", "!\n",    "a\u0301", "12345a"}) {
    std::string text;
    while (text.size() < kBytes) text += unit;
    texts.push_back(text);
    texts.push_back(std::move(text) + "x");
  }
  for (const std::string_view name : PreTokenizer::names()) {
    const auto pre_tokenizer = PreTokenizer::make(name);
    ASSERT_TRUE(pre_tokenizer.has_value()) << test::error_of(pre_tokenizer);
    for (const std::string& text : texts) {
      WordSplitter splitter(*pre_tokenizer);
      splitter.start(text);
      std::size_t n_bytes = 0;
      const double start = thread_seconds();
      while (true) {
        const auto word = splitter.next();
        ASSERT_TRUE(word.has_value()) << name << ": " << test::error_of(word);
        if (word->empty()) break;
        n_bytes += word->size();
      }
      EXPECT_LT(thread_seconds() - start, 1.0) << name << ": " << text.substr(0, 4);
      EXPECT_EQ(n_bytes, text.size()) << name;
    }
  }
}

}  // namespace
}  // namespace tern::text
