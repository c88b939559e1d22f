#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace tern {
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

}  // namespace
}  // namespace tern
