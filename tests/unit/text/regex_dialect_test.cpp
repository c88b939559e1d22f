// The rewriting of tokenizer.json's patterns into PCRE2's: spellings and refusals. That rewritten patterns match the
// same is shown by tests/golden/pre_tokenizers_test.cpp.
#include "text/regex_dialect.hpp"

#include <gtest/gtest.h>

#include "tests/support/tokenizers.hpp"

namespace tern::text {
namespace {

std::string translated(std::string_view pattern) {
  const auto result = translate_regex(pattern);
  return result ? result->pattern : "error: " + result.error().message;
}

TEST(RegexDialect, LeavesPlainPatternsAndMakesGroupsPlain) {
  EXPECT_EQ(translated("ab|c+?"), "ab|c+?");
  EXPECT_EQ(translated("(a)(?:b)(?<name>c)(?=d)(?<!e)(?>f)"), "(?:a)(?:b)(?:c)(?=d)(?<!e)(?>f)");
  EXPECT_EQ(translated("a++b*+c?+"), "a++b*+c?+");
  EXPECT_EQ(translated("a?[bc]+\\d*(d)?e+"), "a?[bc]+[\\p{Nd}]*(?:d)?e+");
  EXPECT_EQ(translated("(?#note)a"), "a");
}

TEST(RegexDialect, SpellsCharactersOutSoThatNoneIsSpecial) {
  EXPECT_EQ(translated(R"(\.\n\x41\u00e9\x{1F600}\012)"), R"(\x{2E}\x{A}A\x{E9}\x{1F600}\x{A})");
  EXPECT_EQ(translated("#'\xC3\xA9]}"), R"(\x{23}\x{27}\x{E9}\x{5D}\x{7D})");
  EXPECT_EQ(translated("[a-c\\]\\-.^]"), R"([a-c\x{5D}\x{2D}\x{2E}\x{5E}])");
  EXPECT_EQ(translated("[]a-]"), R"([\x{5D}a\x{2D}])");
  EXPECT_EQ(translated(regex_of_literal("a.b\n")), R"(a\x{2E}b\x{A})");
}

TEST(RegexDialect, RewritesWhatTheTwoReadDifferently) {
  EXPECT_EQ(translated("a{2,3}+"), "(?:a{2,3})+");
  EXPECT_EQ(translated("a{2}?"), "(?:a{2})?");
  EXPECT_EQ(translated("(?:ab){,4}"), "(?:ab){0,4}");
  EXPECT_EQ(translated("x{y}"), R"(x\x{7B}y\x{7D})");
  EXPECT_EQ(translated("^a$"), "(?m:^)a(?m:$)");
  EXPECT_EQ(translated("(?m:.)"), "(?s:.)");
  EXPECT_EQ(translated("(a(?i)b|c)d"), "(?:a(?i:b|c))d");
  EXPECT_EQ(translated(R"(\p{Han}\p{^Lu}\P{letter})"), R"([\p{sc:han}][^\p{Lu}][^\p{L}])");
  EXPECT_EQ(translated(R"([^\S\n])"), R"((?:(?=[\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F})"
                                      R"(\x{205F}\x{3000}])[^\x{A}]))");
  EXPECT_EQ(translated("[a[bc]d]"), "[abcd]");
  EXPECT_EQ(translated("[[:]a]"), R"([\x{3A}a])");  // a class with a colon, no [:name:]
}

TEST(RegexDialect, RefusesWhatItDoesNotKnowAndSaysWhere) {
  for (const auto& [pattern, words] :
       std::vector<std::pair<std::string, std::string>>{{R"(ab\Kc)", R"(the escape "\K" at byte 2)"},
                                                        {R"((a)\1)", R"(the escape "\1" at byte 3)"},
                                                        {R"(a\k<n>)", R"(the escape "\k" at byte 1)"},
                                                        {"[a&&b]", "an intersection of classes (&&) at byte 2"},
                                                        {"(?x)a", "the group \"(?x\" at byte 0"},
                                                        {"a(?(1)b)", "the group \"(?(\" at byte 1"},
                                                        {"(a", "a ( without its )"},
                                                        {"a)", "a ) without its ( at byte 1"},
                                                        {"[ab", "a class at byte"},
                                                        {"a\\", "an escape at byte 1"},
                                                        {"*a", "repeats nothing at byte 0"},
                                                        {R"(\p{L)", "a property"},
                                                        {R"(\x{110000})", "names no character"},
                                                        {"[z-a]", "does not ascend"},
                                                        {"[a-\\d]", "does not ascend"},
                                                        {"[[:graph:]]", "the class [:graph:]"},
                                                        {"\xFF", "is not UTF-8"}}) {
    EXPECT_NE(translated(pattern).find(words), std::string::npos) << pattern << ": " << translated(pattern);
  }
}

TEST(RegexDialect, BoundsNestingAndSurvivesEveryShortPattern) {
  EXPECT_NE(translated(std::string(1000, '(')).find("groups in groups"), std::string::npos);
  EXPECT_NE(translated(std::string(1000, '[')).find("classes in classes"), std::string::npos);
  constexpr std::string_view kAlphabet = "a\\[](){}?*+|^$.-<:=!ipxsK&0,#";
  std::size_t n_accepted = 0;
  for (const char a : kAlphabet) {
    for (const char b : kAlphabet) {
      for (const char c : kAlphabet) {
        const std::string pattern{a, b, c};
        n_accepted += translate_regex(pattern).has_value() ? 1 : 0;
        n_accepted += translate_regex("(" + pattern + "]").has_value() ? 1 : 0;
      }
    }
  }
  EXPECT_GT(n_accepted, 1000U);
}

}  // namespace
}  // namespace tern::text
