// The rules of I2_S: one magnitude, two kinds of tails, no code 3.
#include "formats/i2_s.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

namespace tern::formats {
namespace {

Result<void> encode(const std::vector<float>& values, std::vector<std::byte>& out) {
  const Shape shape = matrix_shape(128, static_cast<std::int64_t>(values.size() / 128));
  out.resize(tensor_bytes(kI2_S, shape).value());
  return encode_tensor(kI2_S, "t", shape, values, out);
}

std::vector<float> with_magnitudes(int n_magnitudes, std::size_t n_rows) {
  std::vector<float> values(128 * n_rows);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int k = static_cast<int>(i) % (n_magnitudes + 1);  // 0 is zero and not counted
    values[i] = static_cast<float>(k) * (i % 2 == 0 ? 0.5F : -0.5F);
  }
  return values;
}

std::vector<std::byte> tail_of(const std::vector<float>& floats) {
  std::vector<std::byte> tail(kI2STailBytes);
  std::memcpy(tail.data(), floats.data(), floats.size() * sizeof(float));
  return tail;
}

TEST(I2S, KeepsTheScaleExactly) {
  const float scale = 0.0371094F;
  std::vector<float> values(256, scale);
  values[3] = -scale;
  values[4] = 0.0F;
  std::vector<std::byte> bytes;
  ASSERT_TRUE(encode(values, bytes).has_value());
  std::vector<float> decoded(256);
  ASSERT_TRUE(decode_rows(kI2_S, matrix_shape(128, 2), bytes, 0, 2, decoded).has_value());
  EXPECT_EQ(decoded, values);
}

TEST(I2S, RefusesAnotherMagnitudeAndCountsThem) {
  std::vector<std::byte> bytes;
  EXPECT_EQ(encode(with_magnitudes(2, 1), bytes).error().message,
            "t: I2_S holds only {−s, 0, +s}; this tensor has 2 distinct magnitudes");
  EXPECT_EQ(encode(with_magnitudes(11874, 200), bytes).error().message,
            "t: I2_S holds only {−s, 0, +s}; this tensor has 11,874 distinct magnitudes");
  EXPECT_EQ(encode(with_magnitudes(65536, 1100), bytes).error().message,
            "t: I2_S holds only {−s, 0, +s}; this tensor has 65,536 distinct magnitudes");
  EXPECT_EQ(encode(with_magnitudes(65537, 1100), bytes).error().message,
            "t: I2_S holds only {−s, 0, +s}; this tensor has more than 65,536 distinct magnitudes");
}

TEST(I2S, RefusesAMagnitudeThatDiffersInTheLastBit) {
  std::vector<float> values(128, 0.7F);
  values[127] = std::nextafterf(0.7F, 1.0F);
  std::vector<std::byte> bytes;
  EXPECT_FALSE(encode(values, bytes).has_value());
}

TEST(I2S, RefusesNaNInTheScanAndNamesThePlace) {
  std::vector<float> values(256, 1.0F);
  values[130] = std::numeric_limits<float>::infinity();
  std::vector<std::byte> bytes;
  const auto done = encode(values, bytes);
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().message.find("t: row 1, column 2 is inf"), std::string::npos) << done.error().message;
}

TEST(I2S, HoldsATensorOfZerosWithScaleZero) {
  std::vector<float> values(128, 0.0F);
  values[9] = -0.0F;
  std::vector<std::byte> bytes;
  ASSERT_TRUE(encode(values, bytes).has_value());
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(bytes[i], std::byte{0x55});
  EXPECT_EQ(read_tensor_scale(kI2_S, vector_shape(128), bytes).value(), 0.0F);
}

TEST(I2S, EncodesNothingThatIsNotTheGivenScale) {
  std::vector<float> values(128, 0.5F);
  values[77] = 0.25F;
  std::byte out[32];
  const EncodeIssue issue = kI2_S.encode_row(values.data(), 128, 0.5F, out);
  EXPECT_EQ(issue.kind, EncodeIssue::Kind::not_ternary);
  EXPECT_EQ(issue.column, 77);
  EXPECT_EQ(issue.value, 0.25F);
}

TEST(I2S, ReadsBothTails) {
  EXPECT_EQ(read_i2_s_tail(tail_of({0.25F}).data()).value(), 0.25F);
  EXPECT_EQ(read_i2_s_tail(tail_of(std::vector<float>(8, 0.25F)).data()).value(), 0.25F);
  EXPECT_EQ(read_i2_s_tail(tail_of({0.0F}).data()).value(), 0.0F);
}

TEST(I2S, RefusesATailThatContradictsItselfOrIsNotFinite) {
  EXPECT_FALSE(read_i2_s_tail(tail_of({0.25F, 0.5F}).data()).has_value());
  EXPECT_FALSE(read_i2_s_tail(tail_of({0.0F, 0.5F}).data()).has_value());
  EXPECT_FALSE(read_i2_s_tail(tail_of({0.25F, 0, 0, 0, 0, 0, 0, -0.25F}).data()).has_value());
  const auto not_a_number = read_i2_s_tail(tail_of({std::numeric_limits<float>::quiet_NaN()}).data());
  ASSERT_FALSE(not_a_number.has_value());
  EXPECT_NE(not_a_number.error().message.find("nan"), std::string::npos) << not_a_number.error().message;
  EXPECT_FALSE(
      read_i2_s_tail(tail_of(std::vector<float>(8, std::numeric_limits<float>::infinity())).data()).has_value());
}

TEST(I2S, FindsCode3NotValidInEveryPosition) {
  for (int position = 0; position < 4; ++position) {
    std::vector<std::byte> row(64, std::byte{0x55});
    EXPECT_TRUE(kI2_S.valid_row(row.data(), 256));
    row[40] |= static_cast<std::byte>(3 << (2 * position));
    EXPECT_FALSE(kI2_S.valid_row(row.data(), 256));
    EXPECT_TRUE(kI2_S.valid_row(row.data(), 128)) << "the first block is untouched";
  }
}

TEST(I2S, PutsTheFirst32ValuesIntoTheHighestBits) {
  std::vector<float> values(128, 0.0F);
  values[0] = 2.0F;
  values[32] = -2.0F;
  values[65] = 2.0F;
  values[97] = -2.0F;
  std::byte out[32];
  ASSERT_FALSE(kI2_S.encode_row(values.data(), 128, 2.0F, out));
  EXPECT_EQ(out[0], std::byte{0b10'00'01'01});
  EXPECT_EQ(out[1], std::byte{0b01'01'10'00});
  EXPECT_EQ(out[2], std::byte{0b01'01'01'01});
}

}  // namespace
}  // namespace tern::formats
