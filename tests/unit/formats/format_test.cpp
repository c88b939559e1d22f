// The record itself: sizes, names, messages, whole tensors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "formats/all.hpp"

namespace tern::formats {
namespace {

TEST(ByName, TakesAnyCaseOfLetters) {
  EXPECT_EQ(by_name("Q6_K").value(), &kQ6_K);
  EXPECT_EQ(by_name("q6_K").value(), &kQ6_K);
  EXPECT_EQ(by_name("i2_s").value(), &kI2_S);
  for (const Format* format : kAll) EXPECT_EQ(by_name(format->name).value(), format);
}

TEST(ByName, NamesTheNearestForAMistypedOneAndListsAll) {
  const auto found = by_name("Q6_X");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::usage);
  EXPECT_NE(found.error().message.find("unknown format 'Q6_X' (did you mean Q6_K?)"), std::string::npos)
      << found.error().message;
  for (const Format* format : kAll) EXPECT_NE(found.error().message.find(format->name), std::string::npos);
  EXPECT_FALSE(by_name("").has_value());
}

TEST(ByName, SaysWhenAFormatExistsButIsNotSupported) {
  const auto found = by_name("iq4_nl");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().message.substr(0, 43), "format IQ4_NL is not supported by Tern; kno");
}

TEST(TensorBytes, CountsBlocksAndTheTail) {
  EXPECT_EQ(tensor_bytes(kF32, matrix_shape(3, 5)).value(), 60u);
  EXPECT_EQ(tensor_bytes(kQ8_0, matrix_shape(64, 3)).value(), 204u);
  EXPECT_EQ(tensor_bytes(kQ6_K, matrix_shape(2560, 128256)).value(), 2560u * 128256u / 256u * 210u);
  EXPECT_EQ(tensor_bytes(kI2_S, matrix_shape(2560, 6912)).value(), 2560u * 6912u / 4u + 32u);
  EXPECT_EQ(tensor_bytes(kTQ1_0, matrix_shape(256, 1)).value(), 54u);
}

TEST(TensorBytes, RefusesRowsThatDoNotDivide) {
  EXPECT_EQ(tensor_bytes(kTQ2_0, matrix_shape(3200, 8)).error().message,
            "TQ2_0 needs rows that divide by 256, got rows of 3200");
  for (const Format* format : kAll) {
    if (format->block_values == 1) continue;
    EXPECT_FALSE(tensor_bytes(*format, vector_shape(format->block_values + 1)).has_value()) << format->name;
  }
}

TEST(TensorBytes, RefusesASizeThatOverflows) {
  const std::int64_t huge[] = {std::int64_t{1} << 40, std::int64_t{1} << 22};
  EXPECT_FALSE(tensor_bytes(kF32, Shape::make(huge).value()).has_value());
}

TEST(BitsPerWeight, AreThePublishedOnes) {
  EXPECT_DOUBLE_EQ(kQ4_0.bits_per_weight(), 4.5);
  EXPECT_DOUBLE_EQ(kTQ1_0.bits_per_weight(), 1.6875);
  EXPECT_DOUBLE_EQ(kTQ2_0.bits_per_weight(), 2.0625);
  EXPECT_DOUBLE_EQ(kQ1_0.bits_per_weight(), 1.125);
  EXPECT_DOUBLE_EQ(kQ2_0.bits_per_weight(), 2.25);
  EXPECT_DOUBLE_EQ(kI2_S.bits_per_weight(), 2.0);
}

TEST(Describe, NamesTensorRowColumnAndValue) {
  const auto nan =
      describe({EncodeIssue::Kind::not_finite, 17, std::numeric_limits<float>::quiet_NaN()}, kQ4_0, "blk.0", 3);
  EXPECT_EQ(nan.code, ErrorCode::bad_input);
  EXPECT_NE(nan.message.find("blk.0: row 3, column 17 is nan"), std::string::npos) << nan.message;
  const auto large = describe({EncodeIssue::Kind::scale_overflows_fp16, 1, 3e9F}, kQ4_0, "t", 0);
  EXPECT_NE(large.message.find("t: row 0, column 1: 3000000000 is too large for Q4_0"), std::string::npos)
      << large.message;
  const auto odd = describe({EncodeIssue::Kind::not_ternary, 2, 0.25F}, kI2_S, "t", 0);
  EXPECT_NE(odd.message.find("0.25"), std::string::npos) << odd.message;
}

TEST(EncodeTensor, NamesTensorAndRowOfANaN) {
  std::vector<float> values(64 * 4, 1.0F);
  values[64 * 2 + 40] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::byte> out(68 * 4);
  const auto done = encode_tensor(kQ8_0, "output.weight", matrix_shape(64, 4), values, out);
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().message.find("output.weight: row 2, column 40"), std::string::npos) << done.error().message;
}

TEST(DecodeRows, ReadsTheAskedRowsOnly) {
  std::vector<float> values(32 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  std::vector<std::byte> bytes(values.size() * 2);
  ASSERT_TRUE(encode_tensor(kF16, "t", matrix_shape(32, 3), values, bytes).has_value());
  std::vector<float> out(32 * 2);
  ASSERT_TRUE(decode_rows(kF16, matrix_shape(32, 3), bytes, 1, 2, out).has_value());
  EXPECT_EQ(out, std::vector<float>(values.begin() + 32, values.end()));
}

TEST(EveryRecord, IsComplete) {
  for (const Format* format : kAll) {
    SCOPED_TRACE(format->name);
    EXPECT_FALSE(format->summary.empty());
    EXPECT_NE(format->encode_row, nullptr);
    EXPECT_NE(format->decode_row, nullptr);
    EXPECT_NE(format->valid_row, nullptr);
    EXPECT_EQ(format->tensor_scale != nullptr, format->tail_bytes > 0);
    EXPECT_EQ(format->is_float, format->block_values == 1);
  }
}

TEST(TernaryCodes, FourthIsUndefinedInTQ2AndPlusTwoInQ2) {
  for (std::size_t byte = 0; byte < 64; ++byte) {
    for (int position = 0; position < 4; ++position) {
      std::vector<std::byte> block(66, std::byte{0x55});
      block[64] = std::byte{0x00};
      block[65] = std::byte{0x3c};  // 1.0
      EXPECT_TRUE(kTQ2_0.valid_row(block.data(), 256));
      block[byte] |= static_cast<std::byte>(3 << (2 * position));
      EXPECT_FALSE(kTQ2_0.valid_row(block.data(), 256)) << byte << ", " << position;
    }
  }
  std::vector<std::byte> block(18, std::byte{0xff});
  block[0] = std::byte{0x00};
  block[1] = std::byte{0x3c};
  EXPECT_TRUE(kQ2_0.valid_row(block.data(), 64));
  std::vector<float> values(64);
  kQ2_0.decode_row(block.data(), 64, 1.0F, values.data());
  EXPECT_EQ(values, std::vector<float>(64, 2.0F));
}

TEST(Scales, ThatAreNotFiniteAreNotValid) {
  for (const Format* format : kAll) {
    if (format->tensor_scale != nullptr) continue;
    std::vector<std::byte> block(static_cast<std::size_t>(format->block_bytes), std::byte{0});
    EXPECT_TRUE(format->valid_row(block.data(), format->block_values)) << format->name;
    std::fill(block.begin(), block.end(), std::byte{0xff});  // every field a NaN
    EXPECT_FALSE(format->valid_row(block.data(), format->block_values)) << format->name;
  }
}

TEST(Floats, RoundToNearestEvenAndRefuseWhatBecomesInfinite) {
  const float largest = std::numeric_limits<float>::max();
  std::byte out[4];
  EXPECT_EQ(kBF16.encode_row(&largest, 1, 1.0F, out).kind, EncodeIssue::Kind::scale_overflows_fp16);
  EXPECT_FALSE(kF32.encode_row(&largest, 1, 1.0F, out));
  const float just_fits = 65519.99F;
  EXPECT_FALSE(kF16.encode_row(&just_fits, 1, 1.0F, out));
  const float just_not = 65520.0F;
  EXPECT_EQ(kF16.encode_row(&just_not, 1, 1.0F, out).kind, EncodeIssue::Kind::scale_overflows_fp16);
}

}  // namespace
}  // namespace tern::formats
