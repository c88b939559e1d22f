#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "report/display_width.hpp"
#include "report/escape.hpp"
#include "report/number.hpp"
#include "report/text_difference.hpp"

namespace tern::report {
namespace {

TEST(Escape, NothingPassesAsMarkup) {
  EXPECT_EQ(escape("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape("zwölf 中文 😀\n\t"), "zwölf 中文 😀\n\t");
}

TEST(Escape, InvalidBytesBecomeReplacementCharacters) {
  const std::string replacement = "\xef\xbf\xbd";
  EXPECT_EQ(escape("a\xff"), "a" + replacement);
  EXPECT_EQ(escape(std::string_view("\0\x1b", 2)), replacement + replacement);
  EXPECT_EQ(escape("\xc3"), replacement);                                      // cut short
  EXPECT_EQ(escape("\xc0\xaf"), replacement + replacement);                    // overlong
  EXPECT_EQ(escape("\xed\xa0\x80"), replacement + replacement + replacement);  // a surrogate
  EXPECT_EQ(escape("\xc3<"), replacement + "&lt;");                            // the < is not swallowed
  EXPECT_EQ(escape("\xef\xbf\xbf").find("\xef\xbf\xbf"), std::string::npos);   // U+FFFF is no XML character
}

TEST(Number, FixedNeverShowsAMinusZero) {
  EXPECT_EQ(fixed(-0.0004, 3), "0.000");
  EXPECT_EQ(fixed(-0.0006, 3), "-0.001");
  EXPECT_EQ(fixed(std::nan(""), 2), "n/a");
  EXPECT_EQ(fixed(-std::numeric_limits<double>::infinity(), 2), "-inf");
}

TEST(Number, SignsStandOnWhatIsNotShownAsZero) {
  EXPECT_EQ(with_sign(0.013, 3), "+0.013");
  EXPECT_EQ(with_sign(-0.013, 3), "-0.013");
  EXPECT_EQ(with_sign(0.0001, 3), "0.000");
  EXPECT_EQ(with_sign(0.0, 1), "0.0");
}

TEST(Number, SignificantDigitsSurviveRoundingUp) {
  EXPECT_EQ(significant(1.7249), "1.72");
  EXPECT_EQ(significant(9.999), "10.0");
  EXPECT_EQ(significant(0.00012345), "0.000123");
  EXPECT_EQ(significant(1234.5), "1234");  // half to even
  EXPECT_EQ(significant(1.2e-7, 2), "1.2e-07");
  EXPECT_EQ(significant(0.0), "0");
}

TEST(Number, DigitsFollowTheUncertainty) {
  EXPECT_EQ(plus_minus(17.12345, 0.1302), "17.12 ± 0.13");
  EXPECT_EQ(plus_minus(17.12345, 0.0999), "17.12 ± 0.10");
  EXPECT_EQ(plus_minus(1712.3, 31.0), "1712 ± 31");
  EXPECT_EQ(decimals_for(0.0), 3);
  EXPECT_EQ(decimals_for(1e-12), 6);
  EXPECT_EQ(interval({-0.002, 0.016}, 3), "[-0.002, +0.016]");
}

TEST(Number, PValuesAreNeverZero) {
  EXPECT_EQ(p_value(0.0), "< 0.001");
  EXPECT_EQ(p_value(0.0421), "0.042");
  EXPECT_EQ(p_value(0.31), "0.31");
  EXPECT_EQ(p_value(1.0), "1.00");
  EXPECT_EQ(p_value(std::nullopt), "n/a");
}

TEST(Number, RatiosChangesAndSeconds) {
  EXPECT_EQ(ratio(1.724), "1.72×");
  EXPECT_EQ(ratio(17.24), "17.2×");
  EXPECT_EQ(percent_change(-0.1234), "-12.3 %");
  EXPECT_EQ(seconds(0.0123), "12.3 ms");
  EXPECT_EQ(seconds(12.34), "12.3 s");
  EXPECT_EQ(seconds(245.2), "4 min 05 s");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("Q8_0"), 4u);
  EXPECT_EQ(display_width("±×−"), 3u);
  EXPECT_EQ(display_width("中文"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);  // e + combining acute
  EXPECT_EQ(display_width("😀"), 2u);
  EXPECT_EQ(display_width("\xff"), 1u);
}

TEST(DisplayWidth, TerminalTextCannotSendCommands) {
  EXPECT_EQ(terminal_text("a\x1b[31mb"), "a\xef\xbf\xbd[31mb");
  EXPECT_EQ(terminal_text("a\nb\tc"), "a b c");
  EXPECT_EQ(terminal_text("\xc2\x9b"), "\xef\xbf\xbd");  // the one-character CSI
}

TEST(TextDifference, IsFoundAtTheWordThatDiffers) {
  const auto d = first_difference("she ran to the park", "she ran to the pond and swam");
  EXPECT_FALSE(d.equal);
  EXPECT_EQ(d.same_characters, 16u);
  EXPECT_EQ(d.same, "she ran to the ");
  EXPECT_EQ(d.word, "pond");
  EXPECT_EQ(d.rest, " and swam");
}

TEST(TextDifference, EqualTextsAndPrefixes) {
  EXPECT_TRUE(first_difference("same", "same").equal);
  EXPECT_TRUE(first_difference("", "").equal);
  const auto shorter = first_difference("one two", "one");
  EXPECT_FALSE(shorter.equal);
  EXPECT_EQ(shorter.same, "one");
  EXPECT_EQ(shorter.word, "");
  const auto longer = first_difference("one", "one two");
  EXPECT_EQ(longer.same, "one");
  EXPECT_EQ(longer.word, " two");
  EXPECT_EQ(first_difference("", "x").word, "x");
}

TEST(TextDifference, NeverCutsACharacter) {
  const auto d = first_difference("caf\xc3\xa9", "caf\xc3\xa8");  // é against è share their first byte
  EXPECT_EQ(d.same_characters, 3u);
  EXPECT_EQ(d.word, "caf\xc3\xa8");
}

}  // namespace
}  // namespace tern::report
