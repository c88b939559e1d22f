// The activation partners that are no weight formats, and the roundings under all encoders.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "formats/block_codec.hpp"
#include "formats/q8_k.hpp"
#include "formats/token_codes.hpp"

namespace tern::formats {
namespace {

TEST(Rounding, HalfAwayFromZeroEqualsTheLibraryOnEveryHardCase) {
  for (const float x : {0.0F, 0.5F, -0.5F, 1.5F, -1.5F, 2.5F, 126.5F, -126.5F, 0.49999997F, -0.49999997F, 8388607.5F,
                        1e9F, -1e9F, 1.0F, 0.99999994F}) {
    EXPECT_EQ(codec::round_half_away(x), static_cast<int>(std::lround(x))) << x;
  }
  for (float x = -300.0F; x < 300.0F; x += 0.015625F) EXPECT_EQ(codec::round_half_away(x), std::lround(x)) << x;
}

TEST(Rounding, HalfToEvenEqualsTheLibraryOnEveryHardCase) {
  for (const float x : {0.0F, -0.0F, 0.5F, -0.5F, 1.5F, -1.5F, 2.5F, 0.49999997F, 4194303.0F, -4194303.0F, 126.5F}) {
    EXPECT_EQ(codec::round_half_even(x), static_cast<int>(std::nearbyint(x))) << x;
  }
  for (float x = -300.0F; x < 300.0F; x += 0.015625F) {
    EXPECT_EQ(codec::round_half_even(x), static_cast<int>(std::nearbyint(x))) << x;
  }
}

TEST(Q8K, MapsTheExtremeToMinus127AndSumsSixteens) {
  std::vector<float> values(256, 1.0F);
  values[100] = 127.0F;
  BlockQ8_K block;
  ASSERT_FALSE(encode_row_q8_k(values.data(), 256, reinterpret_cast<std::byte*>(&block)));
  EXPECT_EQ(block.d, -1.0F);
  EXPECT_EQ(block.q[100], -127);
  EXPECT_EQ(block.q[0], -1);
  EXPECT_EQ(block.sums[0], -16);
  EXPECT_EQ(block.sums[6], -15 - 127);
}

TEST(Q8K, IsAllZeroBytesForZerosAndForValuesTooSmallToScale) {
  for (const float value : {0.0F, -0.0F, 1e-45F, -1e-38F}) {
    const std::vector<float> values(256, value);
    std::vector<std::byte> bytes(sizeof(BlockQ8_K), std::byte{0xaa});
    ASSERT_FALSE(encode_row_q8_k(values.data(), 256, bytes.data()));
    for (const std::byte byte : bytes) ASSERT_EQ(byte, std::byte{0}) << value;
  }
}

TEST(Q8K, RefusesNaNAndInfinityNamingTheColumn) {
  std::vector<float> values(512, 1.0F);
  values[300] = std::numeric_limits<float>::infinity();
  std::vector<std::byte> bytes(2 * sizeof(BlockQ8_K));
  const EncodeIssue issue = encode_row_q8_k(values.data(), 512, bytes.data());
  EXPECT_EQ(issue.kind, EncodeIssue::Kind::not_finite);
  EXPECT_EQ(issue.column, 300);
}

TEST(TokenCodes, ScalesTheLargestTo127AndRoundsTiesToEven) {
  const std::vector<float> values{127.0F, 0.5F, 1.5F, -2.5F, -127.0F, 0.0F};
  std::vector<std::int8_t> codes(values.size());
  const TokenCodes token = encode_int8_token(values.data(), 6, codes.data());
  EXPECT_EQ(token.s, 1.0F);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{127, 0, 2, -2, -127, 0}));
  EXPECT_EQ(token.sum, 0);
}

TEST(TokenCodes, DoesNotScaleBelowTheFloor) {
  const std::vector<float> values{1e-7F, -1e-5F, 0.0F};
  std::vector<std::int8_t> codes(values.size());
  const TokenCodes token = encode_int8_token(values.data(), 3, codes.data());
  EXPECT_EQ(token.s, 127.0F / 1e-5F);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{1, -127, 0}));
  EXPECT_EQ(token.sum, -126);
}

TEST(TokenCodes, PassesNaNAndInfinityOnThroughTheScale) {
  std::vector<float> values(40, 1.0F);
  std::vector<std::int8_t> codes(values.size());
  values[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(encode_int8_token(values.data(), 40, codes.data()).s));
  values[7] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(encode_int8_token(values.data(), 40, codes.data()).s, 0.0F);
}

}  // namespace
}  // namespace tern::formats
