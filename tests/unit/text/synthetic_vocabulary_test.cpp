#include "text/synthetic_vocabulary.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/models.hpp"
#include "text/tokenizer.hpp"

namespace tern::text {
namespace {

using test::must;

TEST(SyntheticVocabulary, HasTheSizeAskedForAndNoTokenTwice) {
  for (const std::size_t size : {kSmallestSynthetic, std::size_t{259}, std::size_t{2048}, std::size_t{128256}}) {
    const Vocabulary vocabulary = must(synthetic_vocabulary(size));
    EXPECT_EQ(vocabulary.size(), size);
    EXPECT_EQ(std::set<std::string>(vocabulary.tokens.begin(), vocabulary.tokens.end()).size(), size);
    EXPECT_EQ(vocabulary.merges.size(), size - kSmallestSynthetic);
    EXPECT_EQ(vocabulary.bos, static_cast<std::int32_t>(size) - 2);
    EXPECT_EQ(vocabulary.eos, static_cast<std::int32_t>(size) - 1);
    must(check_vocabulary(vocabulary));
  }
}

TEST(SyntheticVocabulary, TextsComeBack) {
  const auto tokenizer = must(Tokenizer::make(must(synthetic_vocabulary(5000))));
  std::string every_byte;
  for (int i = 1; i < 256; ++i) every_byte += static_cast<char>(i);
  for (const std::string& text :
       {std::string("Once upon a time, there was a cat."), std::string("Grüße, 你好 🦜\n\ttabs"), every_byte}) {
    const auto ids = must(tokenizer.encode(text));
    EXPECT_EQ(tokenizer.decode(ids), text);
  }
}

// The merges are used: words become fewer tokens than bytes.
TEST(SyntheticVocabulary, WordsAreJoined) {
  const auto tokenizer = must(Tokenizer::make(must(synthetic_vocabulary(128256))));
  const std::string text = " the quick brown fox jumps over the lazy dog";
  EXPECT_LT(must(tokenizer.encode(text)).size(), text.size() / 2);
}

TEST(SyntheticVocabulary, SizesThatCannotBeAreRefused) {
  for (const std::size_t size : {std::size_t{0}, kSmallestSynthetic - 1, std::size_t{1} << 40}) {
    const auto refused = synthetic_vocabulary(size);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::usage);
  }
}

}  // namespace
}  // namespace tern::text
