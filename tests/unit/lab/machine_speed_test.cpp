// What limits mean for a billion weights, against numbers worked out by hand, and the advice for machines made up here.
#include "lab/machine_speed.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sys/cpu.hpp"

namespace tern::lab {
namespace {

const FormatSpeed& row_of(const std::vector<FormatSpeed>& rows, std::string_view format) {
  return *std::ranges::find(rows, format, &FormatSpeed::format);
}

// Reading 40 GB/s; every kind of instruction `peak` GMAC/s.
Limits limits_of(const kernels::Kernels& kernels, double peak) {
  Limits limits;
  want_format_limits(kernels, 2, limits);
  Progress quiet;
  const auto measured =
      limits.measure([&](std::string_view quantity, int,
                         std::uint64_t) -> Result<double> { return quantity == kReadLimit ? 40.0 : peak; },
                     1, quiet);
  EXPECT_TRUE(measured.has_value());
  return limits;
}

TEST(MachineSpeed, IsBytesOverBandwidthAndMultiplyAddsOverPeak) {
  if (!sys::cpu_features().avx2) GTEST_SKIP() << "needs AVX2, whose kernels have limits";
  const kernels::Kernels kernels = kernels::choose("avx2").value();
  const auto rows = format_speeds(kernels, limits_of(kernels, 250.0), 2);
  EXPECT_DOUBLE_EQ(row_of(rows, "F16").generate.value(), 20.0);    // 2 GB a token
  EXPECT_DOUBLE_EQ(row_of(rows, "I2_S").generate.value(), 160.0);  // 250 MB
  EXPECT_DOUBLE_EQ(row_of(rows, "Q8_0").generate.value(), 40.0 / 1.0625);
  // In a prompt an addition stands for five products of signs, or four of ternary codes.
  for (const FormatSpeed& row : rows) {
    const double products = row.format == "Q1_0" ? 5.0 : row.format == "I2_S" ? 4.0 : 1.0;
    EXPECT_DOUBLE_EQ(row.prompt.value(), 250.0 * products) << row.format;
  }
  EXPECT_DOUBLE_EQ(row_of(rows, "Q1_0").generate.value(), 320.0);  // a bit a weight
  EXPECT_EQ(row_of(rows, "I2_S").trained, "ternary");
  EXPECT_TRUE(std::ranges::is_sorted(rows, std::greater<>{}, &FormatSpeed::bits));
  // Where arithmetic is slower than memory, it bounds a single token too.
  const auto slow = format_speeds(kernels, limits_of(kernels, 30.0), 2);
  EXPECT_DOUBLE_EQ(row_of(slow, "I2_S").generate.value(), 30.0);
  EXPECT_DOUBLE_EQ(row_of(slow, "F16").generate.value(), 20.0);
}

TEST(MachineSpeed, WithoutLimitsThereAreNoFigures) {
  const kernels::Kernels kernels = kernels::choose("scalar").value();
  for (const FormatSpeed& row : format_speeds(kernels, Limits{}, 2)) {
    EXPECT_FALSE(row.generate || row.prompt) << row.format;
    EXPECT_EQ(row.one_token.peak, "");
    EXPECT_EQ(row.many_tokens.peak, "");
  }
}

TEST(MachineAdvice, NamesEachThingThatCouldBeFaster) {
  const MachineFacts good{.host = {.online_cores = 8, .huge_pages = "madvise", .governor = "performance"},
                          .usable_cores = 8,
                          .isa_used = "avx2",
                          .isa_best = "avx2",
                          .share_lost = 0.01};
  EXPECT_TRUE(advice(good).empty());
  MachineFacts bad = good;
  bad.usable_cores = 2;
  EXPECT_NE(advice(bad).at(0).find("2 of 8 cores"), std::string::npos);
  bad = good;
  bad.host.huge_pages = "never";
  EXPECT_NE(advice(bad).at(0).find("2 MiB"), std::string::npos);
  bad = good;
  bad.host.governor = "powersave";
  EXPECT_NE(advice(bad).at(0).find("powersave"), std::string::npos);
  bad = good;
  bad.isa_used = "scalar";
  EXPECT_NE(advice(bad).at(0).find("TERN_ISA"), std::string::npos);
  bad = good;
  bad.isa_to_try = "amxint8";
  EXPECT_NE(advice(bad).at(0).find("--isa avx2,amxint8"), std::string::npos);
  bad.isa_used = "amxint8";
  EXPECT_TRUE(advice(bad).empty());
  bad = good;
  bad.share_lost = 0.4;
  EXPECT_NE(advice(bad).at(0).find("40 %"), std::string::npos);
}

}  // namespace
}  // namespace tern::lab
