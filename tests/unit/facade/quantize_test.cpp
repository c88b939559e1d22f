// The public quantize() and dequantize(): sizes, errors and refusals.
#include "tern/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "cli/version.hpp"
#include "formats/all.hpp"
#include "tern/version.hpp"

namespace tern {
namespace {

std::vector<float> ramp(std::size_t n) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 50.0F;
  return values;
}

TEST(PublicQuantize, ListsEveryFormatOnce) {
  std::set<std::string> names;
  for (const FormatInfo& format : weight_formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_FALSE(format.summary.empty()) << format.name;
    EXPECT_GT(format.bits_per_weight, 1.0) << format.name;
    EXPECT_GE(format.block_values, 1) << format.name;
  }
  EXPECT_EQ(names.size(), formats::kAll.size());
}

TEST(PublicQuantize, EveryFormatThatHoldsAnythingReportsTheErrorOfItsOwnDecoding) {
  const auto values = ramp(4 * 256);
  for (const FormatInfo& format : weight_formats()) {
    if (format.name == "I2_S") continue;  // holds ternary values alone
    const auto tensor = quantize(format.name, values, 4, 256);
    ASSERT_TRUE(tensor) << format.name << ": " << tensor.error().message;
    EXPECT_EQ(static_cast<double>(tensor->bytes.size()) * 8.0, format.bits_per_weight * 4 * 256) << format.name;
    const auto back = dequantize(*tensor);
    ASSERT_TRUE(back) << format.name;
    double error = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      error += std::pow(static_cast<double>((*back)[i]) - static_cast<double>(values[i]), 2);
      squares += std::pow(static_cast<double>(values[i]), 2);
    }
    EXPECT_DOUBLE_EQ(tensor->rmse, std::sqrt(error / 1024.0)) << format.name;
    EXPECT_DOUBLE_EQ(tensor->relative_error, std::sqrt(error / squares)) << format.name;
  }
}

TEST(PublicQuantize, HoldsTernaryValuesWithoutErrorInI2S) {
  std::vector<float> values(128 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.3F * static_cast<float>(static_cast<int>(i % 3) - 1);
  const auto tensor = quantize("i2_s", values, 3, 128);
  ASSERT_TRUE(tensor) << tensor.error().message;
  EXPECT_EQ(tensor->format, "I2_S");
  EXPECT_EQ(tensor->bytes.size(), 128 * 3 / 4 + 32);
  EXPECT_EQ(tensor->rmse, 0.0);
  EXPECT_EQ(*dequantize(*tensor), values);
}

TEST(PublicQuantize, TakesATensorOfZerosWithoutDividingByZero) {
  const auto tensor = quantize("Q4_0", std::vector<float>(64, 0.0F), 1, 64);
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->rmse, 0.0);
  EXPECT_EQ(tensor->relative_error, 0.0);
}

TEST(PublicQuantize, NamesTheNearestFormat) {
  const auto tensor = quantize("Q4_KK", ramp(256), 1, 256);
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().code, ErrorCode::usage);
  EXPECT_NE(tensor.error().message.find("Q4_K"), std::string::npos) << tensor.error().message;
}

TEST(PublicQuantize, RefusesAWrongNumberOfValuesAndImpossibleShapes) {
  EXPECT_EQ(quantize("F32", ramp(255), 1, 256).error().code, ErrorCode::usage);
  EXPECT_FALSE(quantize("F32", {}, 0, 256));
  EXPECT_FALSE(quantize("F32", {}, 1, 0));
  EXPECT_FALSE(quantize("F32", ramp(4), -2, -2));
  const auto huge = std::int64_t{1} << 40;
  EXPECT_FALSE(quantize("F32", ramp(4), huge, huge));
}

TEST(PublicQuantize, RefusesARowThatDoesNotDivide) {
  const auto tensor = quantize("Q4_K", ramp(100), 1, 100);
  ASSERT_FALSE(tensor);
  EXPECT_NE(tensor.error().message.find("256"), std::string::npos) << tensor.error().message;
}

TEST(PublicQuantize, NamesRowAndColumnOfAValueThatIsNotFinite) {
  auto values = ramp(64 * 2);
  values[64 + 17] = std::numeric_limits<float>::quiet_NaN();
  const auto tensor = quantize("Q8_0", values, 2, 64);
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().code, ErrorCode::bad_input);
  EXPECT_NE(tensor.error().message.find("row 1, column 17"), std::string::npos) << tensor.error().message;
}

TEST(PublicDequantize, RefusesBytesThatAreNotTheTensors) {
  auto tensor = *quantize("Q8_0", ramp(64), 1, 64);
  tensor.bytes.pop_back();
  EXPECT_EQ(dequantize(tensor).error().code, ErrorCode::usage);
  tensor.bytes.push_back(std::byte{0});
  EXPECT_TRUE(dequantize(tensor));
  tensor.n_rows = std::int64_t{1} << 62;
  EXPECT_FALSE(dequantize(tensor));
}

TEST(Version, IsTheSameInTheHeaderTheProgramAndTheBuild) {
  EXPECT_STREQ(kVersion, TERN_PROJECT_VERSION);
  EXPECT_EQ(fmt::format("{}.{}.{}", kVersionMajor, kVersionMinor, kVersionPatch), kVersion);
  EXPECT_NE(cli::version_text().find(kVersion), std::string_view::npos) << cli::version_text();
}

}  // namespace
}  // namespace tern
