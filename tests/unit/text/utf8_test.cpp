#include "text/utf8.hpp"

#include <gtest/gtest.h>

#include "text/byte_alphabet.hpp"

namespace tern::text {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, AcceptsTheFirstAndLastCharacterOfEveryLength) {
  for (const std::string_view text :
       {"\x00"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
        "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
    const Utf8Step step = utf8_step(text);
    EXPECT_TRUE(step.valid);
    EXPECT_EQ(step.length, text.size());
    std::string again;
    append_utf8(again, utf8_code_point(text));
    EXPECT_EQ(again, text);
  }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndValuesThatAreTooLarge) {
  for (const std::string_view text :
       {"\x80"sv, "\xBF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv, "\xF0\x8F\xBF\xBF"sv,
        "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv}) {
    const Utf8Step step = utf8_step(text);
    EXPECT_FALSE(step.valid);
    EXPECT_FALSE(step.incomplete);
    EXPECT_EQ(step.length, 1U);
    EXPECT_EQ(utf8_valid_prefix(text), 0U);
  }
}

TEST(Utf8, TellsUnfinishedFromBroken) {
  EXPECT_TRUE(utf8_step("\xE2"sv).incomplete);
  EXPECT_TRUE(utf8_step("\xF0\x9F\x98"sv).incomplete);
  EXPECT_EQ(utf8_step("\xF0\x9F\x98"sv).length, 3U);
  EXPECT_FALSE(utf8_step("\xF0\x9F!"sv).incomplete);
  EXPECT_EQ(utf8_step("\xF0\x9F!"sv).length, 2U);
}

TEST(Utf8, FindsTheValidPrefixAtEveryOffset) {
  for (std::size_t n = 0; n < 40; ++n) {
    std::string text(n, 'a');
    EXPECT_EQ(utf8_valid_prefix(text + "\xC3\xA9"), n + 2);
    EXPECT_EQ(utf8_valid_prefix(text + "\xFF" + text), n);
    EXPECT_EQ(utf8_valid_prefix(text + "\xC3"), n);
  }
}

TEST(ByteAlphabet, SpellsEveryByteWithOneCharacterAndBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string spelled = to_byte_alphabet(all);
  EXPECT_EQ(utf8_valid_prefix(spelled), spelled.size());
  for (const char c : spelled) EXPECT_NE(c, ' ');
  EXPECT_EQ(from_byte_alphabet(spelled), all);
}

TEST(ByteAlphabet, HasThePublishedSpellings) {
  EXPECT_EQ(to_byte_alphabet(" the\n"), "\u0120the\u010A");
  EXPECT_EQ(to_byte_alphabet(std::string("\0", 1)), "\u0100");
  EXPECT_EQ(to_byte_alphabet("\x7F"), "\u0121");
  EXPECT_EQ(to_byte_alphabet("\xAD"), "\u0143");  // the last of the moved ones
  EXPECT_EQ(to_byte_alphabet("\xC3\xA9"), "\u00C3\u00A9");
}

TEST(ByteAlphabet, KeepsOrRefusesWhatIsOutsideIt) {
  EXPECT_EQ(from_byte_alphabet("a b"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\u0144"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\xFF"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet_or_same("\u0120a \u4E1C\xFF"), " a \u4E1C\xFF");
}

}  // namespace
}  // namespace tern::text
