#include "text/detokenizer.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "tests/support/tokenizers.hpp"

namespace tern::text {
namespace {

TEST(Detokenizer, HoldsACharacterBackUntilItIsWhole) {
  Detokenizer detokenizer(test::make(test::bpe_vocabulary()));
  EXPECT_EQ(detokenizer.push('a'), "a");
  EXPECT_EQ(detokenizer.push(0xF0), "");
  EXPECT_EQ(detokenizer.push(0x9F), "");
  EXPECT_EQ(detokenizer.push(0x98), "");
  EXPECT_EQ(detokenizer.push(0x80), "\xF0\x9F\x98\x80");
  EXPECT_EQ(detokenizer.finish(), "");
}

TEST(Detokenizer, TurnsWhatCannotBecomeACharacterIntoAReplacement) {
  Detokenizer detokenizer(test::make(test::bpe_vocabulary()));
  EXPECT_EQ(detokenizer.push(0xFF), "\uFFFD");
  EXPECT_EQ(detokenizer.push(0xE2), "");
  EXPECT_EQ(detokenizer.push('b'), "\uFFFDb");
  EXPECT_EQ(detokenizer.push(0xE2), "");
  EXPECT_EQ(detokenizer.finish(), "\uFFFD");
  EXPECT_EQ(detokenizer.finish(), "");
}

TEST(Detokenizer, AlwaysGivesValidUtf8) {
  Detokenizer detokenizer(test::make(test::bpe_vocabulary()));
  std::uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 1664525U + 1013904223U;
    const std::string text = detokenizer.push(static_cast<std::int32_t>((state >> 16) % 260));
    EXPECT_EQ(utf8_valid_prefix(text), text.size());
  }
}

TEST(Detokenizer, TakesOneLeadingSpaceOffAtTheStartOnly) {
  const Tokenizer tokenizer = test::make(test::spm_vocabulary());
  Detokenizer from_start(tokenizer);
  EXPECT_EQ(from_start.push(1), "");  // BOS does not count as the first token
  EXPECT_EQ(from_start.push(261), "ab");
  EXPECT_EQ(from_start.push(261), " ab");
  Detokenizer continued(tokenizer, {.at_start = false});
  EXPECT_EQ(continued.push(261), " ab");
  Detokenizer spaces(tokenizer);
  EXPECT_EQ(spaces.push(262), " ");  // two spaces, one taken off
}

TEST(Detokenizer, ShowsControlTokensOnlyWhenAsked) {
  const Tokenizer tokenizer = test::make(test::bpe_vocabulary());
  const std::int32_t end = *tokenizer.vocabulary().eos;
  EXPECT_EQ(Detokenizer(tokenizer).push(end), "");
  EXPECT_EQ(Detokenizer(tokenizer, {.render_special = true}).push(end), "<|end|>");
  EXPECT_EQ(Detokenizer(tokenizer).push(123456), "");
}

}  // namespace
}  // namespace tern::text
