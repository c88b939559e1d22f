// fp16 and bfloat16 by plain integers: every value there and back, ties, the borders of subnormals and of infinity.
#include "base/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tern {
namespace {

TEST(Half, EveryFp16ValueSurvivesTheWayThroughFloat) {
  for (std::uint32_t h = 0; h <= 0xffff; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const float f = fp16_to_fp32(half);
    if ((h & 0x7c00U) == 0x7c00U && (h & 0x3ffU) != 0) {
      EXPECT_TRUE(std::isnan(f)) << h;
      EXPECT_TRUE(std::isnan(fp16_to_fp32(fp32_to_fp16(f)))) << h;
      continue;
    }
    // The value from its definition, by ldexp: another way than the code under test takes.
    const int exponent = static_cast<int>(h >> 10 & 31U);
    const int mantissa = static_cast<int>(h & 0x3ffU);
    double value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) value = std::numeric_limits<double>::infinity();
    if ((h & 0x8000U) != 0) value = -value;
    ASSERT_EQ(static_cast<double>(f), value) << h;
    ASSERT_EQ(std::signbit(f), (h & 0x8000U) != 0) << h;
    ASSERT_EQ(fp32_to_fp16(f), half) << h;
  }
}

TEST(Half, TheMiddleOfTwoNeighboursGoesToTheEvenOneAndAHairBesideItToTheNearer) {
  for (std::uint32_t h = 0; h < 0x7bff; ++h) {
    const float low = fp16_to_fp32(static_cast<std::uint16_t>(h));
    const float high = fp16_to_fp32(static_cast<std::uint16_t>(h + 1));
    const float middle = (low + high) / 2;  // exact: float has 13 bits to spare
    const std::uint32_t even = h % 2 == 0 ? h : h + 1;
    ASSERT_EQ(fp32_to_fp16(middle), even) << h;
    ASSERT_EQ(fp32_to_fp16(std::nextafter(middle, 0.0F)), h) << h;
    ASSERT_EQ(fp32_to_fp16(std::nextafter(middle, 1e9F)), h + 1) << h;
    ASSERT_EQ(fp32_to_fp16(-middle), even | 0x8000U) << h;
  }
}

TEST(Half, WhatIsTooLargeBecomesInfinityFrom65520On) {
  EXPECT_EQ(fp32_to_fp16(65504.0F), 0x7bff);
  EXPECT_EQ(fp32_to_fp16(std::nextafter(65520.0F, 0.0F)), 0x7bff);
  EXPECT_EQ(fp32_to_fp16(65520.0F), 0x7c00);
  EXPECT_EQ(fp32_to_fp16(-1e30F), 0xfc00);
  EXPECT_EQ(fp32_to_fp16(std::numeric_limits<float>::infinity()), 0x7c00);
}

TEST(Half, FloatSubnormalsAndHalfOfTheSmallestBecomeZeroWithTheirSign) {
  EXPECT_EQ(fp32_to_fp16(0x1p-25F), 0);
  EXPECT_EQ(fp32_to_fp16(std::nextafter(0x1p-25F, 1.0F)), 1);
  EXPECT_EQ(fp32_to_fp16(-std::numeric_limits<float>::denorm_min()), 0x8000);
  EXPECT_EQ(fp32_to_fp16(-0.0F), 0x8000);
}

TEST(Half, NanStaysAQuietNanWithItsSign) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(fp32_to_fp16(nan), 0x7e00);
  EXPECT_EQ(fp32_to_fp16(-nan), 0xfe00);
  // A signalling NaN whose payload lies in the bits that are cut off must not become infinity.
  const float signalling = std::bit_cast<float>(0x7f800001U);
  EXPECT_TRUE(std::isnan(fp16_to_fp32(fp32_to_fp16(signalling))));
  EXPECT_TRUE(std::isnan(bf16_to_fp32(fp32_to_bf16(signalling))));
}

TEST(Half, EveryBf16ValueSurvivesAndTiesGoToEven) {
  for (std::uint32_t h = 0; h <= 0xffff; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const float f = bf16_to_fp32(half);
    if (std::isnan(f)) {
      EXPECT_TRUE(std::isnan(bf16_to_fp32(fp32_to_bf16(f))));
      continue;
    }
    ASSERT_EQ(fp32_to_bf16(f), half) << h;
  }
  EXPECT_EQ(fp32_to_bf16(std::bit_cast<float>(0x3f808000U)), 0x3f80);  // a tie, even below
  EXPECT_EQ(fp32_to_bf16(std::bit_cast<float>(0x3f818000U)), 0x3f82);  // a tie, even above
  EXPECT_EQ(fp32_to_bf16(std::bit_cast<float>(0x3f808001U)), 0x3f81);
  EXPECT_EQ(fp32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);  // rounds to infinity
}

}  // namespace
}  // namespace tern
