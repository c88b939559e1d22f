// What holds for every weight format of formats/all.hpp, so that a new one is held to it by being listed there.
#include "formats/all.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace tern::formats {
namespace {

constexpr std::int64_t kRowLength = 2048;

/// Encoding what was decoded gives the same bytes, for rows whose scales do not underflow fp16.
const std::set<std::string_view> kSameBytesAgain{"F32",  "F16",  "BF16", "Q8_0",  "Q5_1",  "Q5_0", "Q4_1",
                                                 "Q4_0", "Q2_0", "Q1_0", "TQ2_0", "TQ1_0", "I2_S"};
/// These search for their scales, and the search sees other values the second time.
const std::set<std::string_view> kSearchesScales{"Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K"};

std::vector<float> normal_row(std::uint64_t seed, std::int64_t n = kRowLength) {
  Random random(seed);
  std::vector<float> row(static_cast<std::size_t>(n));
  for (float& value : row) value = static_cast<float>(random.normal());
  return row;
}

std::vector<float> ternary_row(std::uint64_t seed, float scale, std::int64_t n = kRowLength) {
  Random random(seed);
  std::vector<float> row(static_cast<std::size_t>(n));
  for (float& value : row) value = scale * static_cast<float>(static_cast<int>(random.below(3)) - 1);
  return row;
}

std::vector<std::byte> random_bytes(Random& random, std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

class EveryFormat : public testing::TestWithParam<const Format*> {
 protected:
  [[nodiscard]] const Format& format() const { return *GetParam(); }
  [[nodiscard]] bool has_tensor_scale() const { return format().tensor_scale != nullptr; }
  /// A row that the format can hold in its way.
  [[nodiscard]] std::vector<float> row(std::uint64_t seed) const {
    return has_tensor_scale() ? ternary_row(seed, kScale) : normal_row(seed);
  }
  [[nodiscard]] std::vector<std::byte> encode(const std::vector<float>& values) const {
    const auto n = static_cast<std::int64_t>(values.size());
    std::vector<std::byte> bytes(static_cast<std::size_t>(format().row_bytes(n)));
    const EncodeIssue issue = format().encode_row(values.data(), n, kScale, bytes.data());
    EXPECT_FALSE(issue) << "column " << issue.column << ", value " << issue.value;
    return bytes;
  }
  [[nodiscard]] std::vector<float> decode(const std::vector<std::byte>& bytes) const {
    const auto n = static_cast<std::int64_t>(bytes.size()) / format().block_bytes * format().block_values;
    std::vector<float> values(static_cast<std::size_t>(n));
    format().decode_row(bytes.data(), n, kScale, values.data());
    return values;
  }
  static constexpr float kScale = 0.0371F;
};

TEST_P(EveryFormat, KeepsRowsWithinItsErrorBudgetAndTheBudgetIsTight) {
  double sum = 0;
  std::size_t n_values = 0;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    const auto values = row(seed);
    const auto decoded = decode(encode(values));
    for (std::size_t i = 0; i < values.size(); ++i) sum += std::pow(static_cast<double>(values[i]) - decoded[i], 2);
    n_values += values.size();
  }
  const double rmse = std::sqrt(sum / static_cast<double>(n_values));
  EXPECT_LE(rmse, format().rmse_budget);
  EXPECT_GE(rmse, 0.8 * static_cast<double>(format().rmse_budget));
}

TEST_P(EveryFormat, EncodesItsOwnOutputToTheSameBytesUnlessItSearches) {
  const bool same = kSameBytesAgain.contains(format().name);
  ASSERT_NE(same, kSearchesScales.contains(format().name)) << "say in this file which kind the new format is";
  if (!same) return;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    const auto bytes = encode(row(seed));
    EXPECT_EQ(encode(decode(bytes)), bytes) << "seed " << seed;
  }
}

TEST_P(EveryFormat, EncodesEachBlockByItself) {
  const auto values = row(7);
  const auto whole = encode(values);
  const std::int64_t n_blocks = kRowLength / format().block_values;
  std::vector<std::byte> block(static_cast<std::size_t>(format().block_bytes));
  for (std::int64_t b = 0; b < n_blocks; ++b) {
    ASSERT_FALSE(
        format().encode_row(values.data() + b * format().block_values, format().block_values, kScale, block.data()));
    ASSERT_EQ(std::memcmp(block.data(), whole.data() + b * format().block_bytes, block.size()), 0) << "block " << b;
  }
}

TEST_P(EveryFormat, DecodesAnyBytesWithinBoundsAndValidRowsToFiniteValues) {
  Random random(20261121);
  const auto n_bytes = static_cast<std::size_t>(format().row_bytes(kRowLength));
  std::size_t n_valid = 0;
  for (int round = 0; round < 50; ++round) {
    auto bytes = random_bytes(random, n_bytes + 1);  // one more: blocks at an odd address
    const std::byte* blocks = bytes.data() + 1;
    std::vector<float> values(static_cast<std::size_t>(kRowLength) + 1, 12345.0F);
    format().decode_row(blocks, kRowLength, kScale, values.data());
    EXPECT_EQ(values.back(), 12345.0F);
    for (std::int64_t b = 0; b < kRowLength / format().block_values; ++b) {
      if (!format().valid_row(blocks + b * format().block_bytes, format().block_values)) continue;
      ++n_valid;
      for (std::int64_t i = 0; i < format().block_values; ++i) {
        ASSERT_TRUE(std::isfinite(values[static_cast<std::size_t>(b * format().block_values + i)]))
            << "round " << round;
      }
    }
  }
  const bool has_undefined_codes = format().name == "I2_S" || format().name == "TQ2_0";  // random blocks hold some
  EXPECT_EQ(n_valid == 0, has_undefined_codes);
}

TEST_P(EveryFormat, RefusesNaNAndInfinityAndNamesTheColumn) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (const std::int64_t column : {std::int64_t{0}, std::int64_t{255}, std::int64_t{777}, kRowLength - 1}) {
      auto values = row(3);
      values[static_cast<std::size_t>(column)] = bad;
      std::vector<std::byte> bytes(static_cast<std::size_t>(format().row_bytes(kRowLength)));
      const EncodeIssue issue = format().encode_row(values.data(), kRowLength, kScale, bytes.data());
      EXPECT_EQ(issue.kind, EncodeIssue::Kind::not_finite) << bad;
      EXPECT_EQ(issue.column, column) << bad;
      EXPECT_EQ(std::isnan(issue.value), std::isnan(bad));
    }
  }
}

TEST_P(EveryFormat, RefusesAScaleBeyondFp16AndKeepsTheLargestThatFits) {
  if (format().is_float && format().name != "F16") return;  // F32 and BF16 reach 3e38
  if (has_tensor_scale()) return;                           // the scale is float32
  auto values = row(5);
  values[1000] = 3e38F;
  std::vector<std::byte> bytes(static_cast<std::size_t>(format().row_bytes(kRowLength)));
  const EncodeIssue issue = format().encode_row(values.data(), kRowLength, kScale, bytes.data());
  EXPECT_EQ(issue.kind, EncodeIssue::Kind::scale_overflows_fp16);
  EXPECT_EQ(issue.column / format().block_values, 1000 / format().block_values);
  std::fill(values.begin(), values.end(), -3.4e38F);
  values[1] = 3.4e38F;  // a range that overflows float32 itself
  EXPECT_EQ(format().encode_row(values.data(), kRowLength, kScale, bytes.data()).kind,
            EncodeIssue::Kind::scale_overflows_fp16);
  std::fill(values.begin(), values.end(), 65504.0F);
  const auto decoded = decode(encode(values));
  for (const float value : decoded) ASSERT_NEAR(value, 65504.0F, 65504.0F * 0.05F);
}

TEST_P(EveryFormat, HoldsZerosExactly) {
  for (const float zero : {0.0F, -0.0F}) {
    for (const float value : decode(encode(std::vector<float>(static_cast<std::size_t>(kRowLength), zero)))) {
      ASSERT_EQ(value, 0.0F);
    }
  }
}

TEST_P(EveryFormat, TakesSubnormalValuesWithoutMakingThemLarge) {
  if (has_tensor_scale()) return;  // holds one magnitude only
  for (const float size : {1e-37F, 1e-38F, 3e-39F, 1e-40F, 1e-42F, 1e-45F}) {
    auto values = normal_row(11);
    for (float& value : values) value *= size;
    const auto bytes = encode(values);
    EXPECT_TRUE(format().valid_row(bytes.data(), kRowLength));
    for (const float value : decode(bytes)) ASSERT_LE(std::fabs(value), 20 * size) << size;
  }
}

TEST_P(EveryFormat, IsIdentifiedByItsNumberAndSizePaddedOrNot) {
  const Shape shape = matrix_shape(2560, 6);
  const std::uint64_t n_bytes = tensor_bytes(format(), shape).value();
  for (const std::uint64_t alignment : {1u, 32u, 4096u}) {
    const std::uint64_t padded = (n_bytes + alignment - 1) / alignment * alignment;
    for (const std::uint64_t stored : {n_bytes, padded}) {
      const auto found = identify(format().gguf_id, shape, stored, alignment, "llama");
      ASSERT_TRUE(found.has_value()) << found.error().message;
      EXPECT_EQ(*found, &format());
    }
  }
  const auto too_short = identify(format().gguf_id, shape, n_bytes - 1, 32, "llama");
  ASSERT_FALSE(too_short.has_value());
  EXPECT_NE(too_short.error().message.find(std::to_string(format().gguf_id)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, EveryFormat, testing::ValuesIn(kAll),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST(Identify, AnswersAnyNumbersWithAFittingFormatOrOneLine) {
  Random random(99);
  int n_found = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto extent = [&] {
      return static_cast<std::int64_t>(1 + random.below(std::uint64_t{1} << random.below(31)));
    };
    const std::int64_t extents[] = {random.below(2) == 0 ? extent() : extent() / 256 * 256 + 256, extent()};
    const auto shape = Shape::make(extents);
    ASSERT_TRUE(shape.has_value());
    const auto id = static_cast<std::uint32_t>(random.below(4) == 0 ? random.next() : random.below(160));
    const std::uint64_t stored = random.below(2) == 0 ? random.next() >> random.below(64)
                                                      : static_cast<std::uint64_t>(shape->n_elements()) / 4 + 32;
    const std::uint64_t alignment = random.next() >> random.below(64);
    const auto found = identify(id, *shape, stored, alignment, random.below(2) == 0 ? "bitnet" : "llama");
    if (found) {
      ++n_found;
      EXPECT_EQ((*found)->gguf_id, id);
      EXPECT_LE(tensor_bytes(**found, *shape).value(), stored);
    } else {
      EXPECT_FALSE(found.error().message.empty());
      EXPECT_EQ(found.error().message.find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(n_found, 100);
}

}  // namespace
}  // namespace tern::formats
