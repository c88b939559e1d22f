// What people read: the nearest word, sizes, counts, foreign text made printable.
#include "base/words.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/error.hpp"

namespace tern {
namespace {

constexpr std::array<std::string_view, 5> kWords{"quantize", "convert", "perplexity", "sweep", "run"};

TEST(Words, FindsTheNearestWordWhateverTheCase) {
  EXPECT_EQ(nearest_word("quantise", kWords), "quantize");
  EXPECT_EQ(nearest_word("QUANTIZE", kWords), "quantize");
  EXPECT_EQ(nearest_word("perplexty", kWords), "perplexity");
  EXPECT_EQ(nearest_word("covert", kWords), "convert");
}

TEST(Words, SaysNothingWhenNoWordIsMeant) {
  EXPECT_EQ(nearest_word("tokenize-everything", kWords), "");
  EXPECT_EQ(did_you_mean("zzzzzz", kWords), "");
  EXPECT_EQ(nearest_word(std::string(65, 'x'), kWords), "") << "an over-long word is not searched for";
  EXPECT_EQ(nearest_word("run", {}), "");
  EXPECT_EQ(did_you_mean("swep", kWords), " (did you mean sweep?)");
}

TEST(Words, ComparesIgnoringCaseOfAsciiOnly) {
  EXPECT_TRUE(equal_ignoring_case("q6_K", "Q6_k"));
  EXPECT_FALSE(equal_ignoring_case("q6_K", "q6_K "));
  EXPECT_FALSE(equal_ignoring_case("\xc3\xa4", "\xc3\x84"));
  EXPECT_TRUE(equal_ignoring_case("", ""));
}

TEST(Words, WritesBytesWithThreeDigitsAndNeverFour) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.00 kB");
  EXPECT_EQ(human_bytes(1'130'000'000), "1.13 GB");
  EXPECT_EQ(human_bytes(9'994), "9.99 kB");
  EXPECT_EQ(human_bytes(9'996), "10.0 kB");
  EXPECT_EQ(human_bytes(99'940), "99.9 kB");
  EXPECT_EQ(human_bytes(99'960), "100 kB");
  EXPECT_EQ(human_bytes(999'499), "999 kB");
  EXPECT_EQ(human_bytes(999'500), "1.00 MB");
  EXPECT_EQ(human_bytes(5'000'000'000'000'000), "5000 TB");
}

TEST(Words, SeparatesThousands) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(11874), "11,874");
  EXPECT_EQ(with_separators(123456), "123,456");
  EXPECT_EQ(with_separators(18446744073709551615ULL), "18,446,744,073,709,551,615");
}

TEST(Words, ForeignTextIsMadePrintableAndShort) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable(std::string_view("a\0b\n\x1b[2J\x7f\xff", 10)), "a\\x00b\\x0a\\x1b[2J\\x7f\\xff");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable(""), "");
}

TEST(Errors, ContextComesInFrontAndTheCodeStays) {
  const auto error = in_context("model.gguf", in_context("tensor x", Error{ErrorCode::unsupported, "type 99"}).error());
  EXPECT_EQ(error.error().message, "model.gguf: tensor x: type 99");
  EXPECT_EQ(error.error().code, ErrorCode::unsupported);
}

TEST(Errors, TryReturnsTheErrorAndPassesTheValue) {
  const auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return fail(ErrorCode::usage, "{} is odd", n);
    return n / 2;
  };
  const auto quarter = [&](int n) -> Result<int> {
    TERN_TRY(const int once, half(n));
    TERN_TRY(const int twice, half(once));
    return twice;
  };
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
}

TEST(ErrorsDeathTest, AFailedCheckNamesTheConditionAndEndsTheProcess) {
  EXPECT_DEATH(TERN_CHECK(1 + 1 == 3), "internal error: 1 \\+ 1 == 3 is false at ");
}

}  // namespace
}  // namespace tern
