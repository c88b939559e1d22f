// Single patterns: matches, the filter by first bytes, and the end of patterns that would run for hours.
#include "text/split_pattern.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include "tests/support/tokenizers.hpp"
#include "text/pre_rules.hpp"

namespace tern::text {
namespace {

using test::error_of;

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

SplitPattern pattern_of(std::string_view source, bool on_bytes = false) {
  auto pattern = SplitPattern::make(source, on_bytes, SplitPattern::Trust::from_file);
  EXPECT_TRUE(pattern.has_value()) << error_of(pattern);
  return *pattern;
}

/// Walks over all matches, as a splitter does; the error, or "" and the number of matches.
std::pair<std::string, std::size_t> walk(std::string_view source, std::string_view text) {
  PatternSearch search(pattern_of(source));
  std::size_t n = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto match = search.find(text, at);
    if (!match) return {match.error().message, n};
    if (!*match) break;
    at = std::max(at + 1, (*match)->end);
    ++n;
  }
  return {"", n};
}

TEST(SplitPattern, FindsTheFirstMatchFromAnOffset) {
  PatternSearch search(pattern_of("b+"));
  const auto first = search.find("abba b", 0);
  ASSERT_TRUE(first.has_value() && first->has_value());
  EXPECT_EQ((*first)->begin, 1U);
  EXPECT_EQ((*first)->end, 3U);
  const auto second = search.find("abba b", 3);
  ASSERT_TRUE(second.has_value() && second->has_value());
  EXPECT_EQ((*second)->begin, 5U);
  const auto none = search.find("abba b", 6);
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->has_value());
}

TEST(SplitPattern, TellsPiecesThatHoldNoMatch) {
  const SplitPattern digits = pattern_of(kDigitPattern);
  EXPECT_FALSE(digits.may_match("plain ASCII"));
  EXPECT_TRUE(digits.may_match("a1"));
  EXPECT_TRUE(digits.may_match("\u0661"));
  const SplitPattern bytes = pattern_of(kDigitPattern, /*on_bytes=*/true);
  EXPECT_FALSE(bytes.may_match("\u0661"));              // bytes D9 A1
  EXPECT_TRUE(bytes.may_match("\u043E"));               // byte BE, whose letter is three quarters
  EXPECT_TRUE(pattern_of("(?<=a)b").may_match("xyz"));  // looks behind: not filtered
  EXPECT_TRUE(pattern_of("x*").may_match("abc"));       // matches nothing everywhere
  EXPECT_FALSE(pattern_of("x+(?!y)").may_match("abc"));
}

TEST(SplitPattern, EndsRunawayPatternsInAnErrorWithinSeconds) {
  const std::string letters(1'000'000, 'a');
  const std::string spaces(1'000'000, ' ');
  for (const auto& [source, text] :
       std::vector<std::pair<std::string, std::string>>{{"(a+)+$", letters + "b"},
                                                        {"(a+)+$", std::string(40, 'a') + "b"},
                                                        {"(a|aa)+[bc]", std::string(60, 'a')},
                                                        {R"((\s*)*x)", spaces},
                                                        {"a+[bc]", letters},
                                                        {"a*a*a*[bc]", letters},
                                                        {R"(\s+(?=x|y))", spaces},
                                                        {"(?=a*[bc])", letters},
                                                        {"a(?=.*[xyz])|b", letters},
                                                        {"(?:a?){50}a{50}[bc]", letters}}) {
    const double start = thread_seconds();
    const auto [error, n] = walk(source, text);
    const double seconds = thread_seconds() - start;
    EXPECT_NE(error.find("takes too much work"), std::string::npos) << source << ": " << error << ", " << n;
    EXPECT_NE(error.find(source), std::string::npos) << error;
    EXPECT_LT(seconds, 5.0) << source;
  }
}

TEST(SplitPattern, ChargesManyShortTextsToOneAccount) {
  PatternSearch search(pattern_of("(a|aa)+[bc]"));
  const std::string text(30, 'a');  // about a million steps
  std::size_t n = 0;
  while (n < 1000 && search.find(text, 0).has_value()) ++n;
  EXPECT_GT(n, 0U);
  EXPECT_LT(n, 1000U);
}

TEST(SplitPattern, LetsHonestPatternsRunOverLongTexts) {
  const std::string letters(4'000'000, 'a');
  EXPECT_EQ(walk(R"(\p{L}+|\s+)", letters), (std::pair<std::string, std::size_t>{"", 1}));
  EXPECT_EQ(walk("a", letters), (std::pair<std::string, std::size_t>{"", letters.size()}));
  EXPECT_EQ(walk("[bc]", letters), (std::pair<std::string, std::size_t>{"", 0}));
}

TEST(SplitPattern, SaysWhatThePatternEngineRefuses) {
  const auto refused = [](std::string_view source) {
    return error_of(SplitPattern::make(source, false, SplitPattern::Trust::from_file));
  };
  EXPECT_NE(refused(R"(abc\p{Nosuch})").find("near byte 3"), std::string::npos) << refused(R"(abc\p{Nosuch})");
  EXPECT_NE(refused("(?<=a+)b").find("refused by the pattern engine"), std::string::npos);
  EXPECT_NE(refused("a{70000}").find("refused by the pattern engine"), std::string::npos);
  EXPECT_NE(refused(std::string(kMaxPatternBytes + 1, 'a')).find("16385 bytes long"), std::string::npos);
  EXPECT_NE(refused("(?:(?:a{1000}){1000}){1000}").find("refused by the pattern engine"), std::string::npos);
}

}  // namespace
}  // namespace tern::text
