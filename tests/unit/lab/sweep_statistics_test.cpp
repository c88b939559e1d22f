// The sweep's own arithmetic, and the JSON it becomes.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "formats/all.hpp"
#include "lab/reencode.hpp"
#include "lab/sweep_json.hpp"
#include "lab/sweep_memory.hpp"
#include "lab/sweep_speed.hpp"
#include "stats/special.hpp"

namespace tern::lab {
namespace {

TextScore noisy_text(std::uint64_t seed, double loss, double noise, std::size_t n_chunks) {
  Random random(seed);
  std::vector<double> base;
  std::vector<double> other;
  for (std::size_t i = 0; i < n_chunks * 10; ++i) {
    base.push_back(3.0 + random.normal());
    other.push_back(base.back() + loss + noise * random.normal());
  }
  TextScore out;
  out.paired = stats::compare_paired(base, other, stats::equal_clusters(base.size(), 10)).value();
  out.perplexity = out.paired.other_perplexity;
  return out;
}

TEST(SweepStatistics, MeanOfOneTextIsThatText) {
  const TextScore text = noisy_text(1, 0.01, 0.1, 30);
  const auto mean = mean_over_texts({text});
  EXPECT_NEAR(mean.mean_difference, text.paired.mean_difference, 1e-15);
  EXPECT_NEAR(*mean.standard_error, *text.paired.standard_error, 1e-15);
  EXPECT_NEAR(mean.interval->low, text.paired.interval->low, 1e-12);
  EXPECT_NEAR(*mean.p_value, *text.paired.p_value, 1e-12);
  EXPECT_EQ(mean.n_clusters, 30U);
}

TEST(SweepStatistics, MeanOfTwoTextsCountsEachOnce) {
  const TextScore a = noisy_text(1, 0.02, 0.1, 40);
  const TextScore b = noisy_text(2, 0.00, 0.1, 20);
  const auto mean = mean_over_texts({a, b});
  EXPECT_NEAR(mean.mean_difference, (a.paired.mean_difference + b.paired.mean_difference) / 2.0, 1e-15);
  const double ea = *a.paired.standard_error;
  const double eb = *b.paired.standard_error;
  EXPECT_NEAR(*mean.standard_error, std::sqrt(ea * ea + eb * eb) / 2.0, 1e-15);
  const double df = std::floor(std::pow(ea * ea + eb * eb, 2) / (std::pow(ea, 4) / 39.0 + std::pow(eb, 4) / 19.0));
  EXPECT_EQ(mean.n_clusters, static_cast<std::size_t>(df) + 1);
  EXPECT_NEAR(mean.base_perplexity, std::sqrt(a.paired.base_perplexity * b.paired.base_perplexity), 1e-9);
}

TEST(SweepStatistics, MeanHasNoErrorIfOneTextHasNone) {
  const auto mean = mean_over_texts({noisy_text(1, 0.02, 0.1, 40), noisy_text(2, 0.0, 0.1, 1)});
  EXPECT_FALSE(mean.standard_error);
  EXPECT_FALSE(mean.interval);
  EXPECT_FALSE(mean.significant);
  EXPECT_FALSE(stats::test_margin(mean, 0.005));
}

TEST(SweepStatistics, AdjustsPValuesOverAllButTheReferenceAndTheBroken) {
  SweepResult result;
  const auto add = [&](double p) {
    FormatResult format;
    format.format = &formats::kF32;
    TextScore text;
    text.paired.p_value = p;
    format.texts.push_back(text);
    result.formats.push_back(format);
  };
  add(1.0);
  add(0.01);
  add(0.04);
  result.formats.push_back({});
  result.formats.back().error = "no";
  result.reference = 0;
  adjust_p_values(result);
  EXPECT_FALSE(result.formats[0].texts[0].p_adjusted);
  EXPECT_DOUBLE_EQ(*result.formats[1].texts[0].p_adjusted, 0.02);
  EXPECT_DOUBLE_EQ(*result.formats[2].texts[0].p_adjusted, 0.04);
}

TEST(SweepStatistics, FileSizeCountsPadding) {
  EXPECT_EQ(file_bytes_with(1000, 100, 50, 32), 1000U - 128U + 64U);
  EXPECT_EQ(file_bytes_with(1000, 64, 64, 32), 1000U);
}

TEST(SweepStatistics, SpeedProtocolFitsAShortContext) {
  EXPECT_EQ(fitting_protocol(4096, 1).n_prompt, 256);
  EXPECT_EQ(fitting_protocol(4096, 1).n_generate, 64);
  for (const std::int64_t n_ctx : {2, 3, 16, 100, 256}) {
    const SpeedProtocol protocol = fitting_protocol(n_ctx, 1);
    EXPECT_GE(protocol.n_prompt, 1);
    EXPECT_GE(protocol.n_generate, 1);
    EXPECT_LE(protocol.n_prompt + protocol.n_generate, n_ctx);
  }
}

TEST(SweepMemory, LineGoesThereAndBack) {
  const auto back = from_line(to_line(MemoryReport{.peak_resident = 123456789, .includes_making_it = true}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->peak_resident, 123456789U);
  EXPECT_TRUE(back->includes_making_it);
  const auto error = from_line(to_line(fail(ErrorCode::bad_input, "no \"table\"")));
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().message, "no \"table\"");
  EXPECT_FALSE(from_line("{}"));
  EXPECT_FALSE(from_line("killed"));
}

TEST(Reencode, GivesTheBytesOfEncodeTensorForAnyNumberOfThreads) {
  const Shape shape = matrix_shape(256, 37);
  std::vector<float> values(256 * 37);
  Random random(7);
  for (float& value : values) value = static_cast<float>(random.normal());
  const TensorView tensor{.name = "token_embd.weight",
                          .shape = shape,
                          .format = &formats::kF32,
                          .bytes = std::as_bytes(std::span<const float>(values))};
  for (const formats::Format* format : formats::kAll) {
    if (format->is_ternary) continue;  // these values are not
    std::vector<std::byte> wanted(formats::tensor_bytes(*format, shape).value());
    const auto encoded = formats::encode_tensor(*format, "t", shape, values, wanted);
    for (const int n_threads : {1, 3}) {
      const auto got = reencode(tensor, *format, n_threads);
      ASSERT_EQ(got.has_value(), encoded.has_value()) << format->name;
      if (!got) continue;
      EXPECT_TRUE(std::ranges::equal(got->bytes->bytes(), wanted)) << format->name;
      EXPECT_LE(got->report.rmse(), static_cast<double>(format->rmse_budget) * 1.1) << format->name;
    }
  }
  const auto ternary = reencode(tensor, formats::kI2_S, 1);
  ASSERT_FALSE(ternary);
  EXPECT_NE(ternary.error().message.find("I2_S holds only"), std::string::npos);
}

TEST(Reencode, CopiesATensorThatIsInTheFormatAlready) {
  const std::vector<float> values(512, 1.5F);
  const TensorView tensor{.name = "t",
                          .shape = matrix_shape(256, 2),
                          .format = &formats::kF32,
                          .bytes = std::as_bytes(std::span<const float>(values))};
  const auto bytes = bytes_in(tensor, formats::kF32, 1);
  ASSERT_TRUE(bytes);
  EXPECT_NE((*bytes)->data(), tensor.bytes.data());
  EXPECT_TRUE(std::ranges::equal((*bytes)->bytes(), tensor.bytes));
}

}  // namespace
}  // namespace tern::lab
