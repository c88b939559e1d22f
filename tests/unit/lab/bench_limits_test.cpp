// The roofline against figures worked out by hand, with limits that are made up.
#include "lab/bench_limits.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/listener.hpp"

namespace tern::lab {
namespace {

/// Says what a table says, and counts.
struct FakeMachine {
  std::map<std::string, std::vector<double>, std::less<>> values;  // by quantity: of the first round, the second, ...
  std::map<std::string, std::size_t, std::less<>> asked{};
  std::vector<std::uint64_t> buffers{};

  MeasureLimit function() {
    return [this](std::string_view quantity, int /*n_threads*/, std::uint64_t buffer_bytes) -> Result<double> {
      buffers.push_back(buffer_bytes);
      const std::size_t round = asked[std::string(quantity)]++;
      const auto found = values.find(quantity);
      if (found == values.end()) return fail(ErrorCode::unsupported, "{}: not here", quantity);
      return found->second[round];
    };
  }
};

using test::Listener;

/// 2e9 bytes, 3e9 multiply-adds of one kind and 1e9 of another.
BenchCost some_cost() {
  BenchCost cost;
  cost.n_tokens = 10;
  cost.n_steps = 10;
  cost.bytes = 2e9;
  cost.products = {{.peak = "maddubs16", .n = 3e9}, {.peak = "maddubs32", .n = 1e9}};
  return cost;
}

Limits measured(FakeMachine& machine, const BenchCost& cost, int rounds = 1) {
  Limits limits;
  Listener listener;
  limits.want(cost, 2);
  for (int i = 0; i < rounds; ++i) EXPECT_TRUE(limits.measure(machine.function(), 1'000'000'000, listener));
  return limits;
}

TEST(BenchLimits, WhatReadsLongerThanItComputesIsHeldAgainstTheReadBandwidth) {
  FakeMachine machine{.values = {{"read_huge", {20.0}}, {"maddubs16", {60.0}}, {"maddubs32", {50.0}}}};
  const Limits limits = measured(machine, some_cost());
  // Reading takes 2e9 / 20e9 = 0.1 s; computing 3 / 60 + 1 / 50 = 0.07 s.
  const Judgement judged = judge(some_cost(), 0.125, 2, true, limits, false);
  EXPECT_EQ(judged.limit, "read_huge");
  ASSERT_TRUE(judged.percent.has_value());
  EXPECT_DOUBLE_EQ(*judged.percent, 80.0);
}

TEST(BenchLimits, WhatComputesLongerIsHeldAgainstThePeakOfItsSlowestPart) {
  FakeMachine machine{.values = {{"read_huge", {100.0}}, {"maddubs16", {30.0}}, {"maddubs32", {20.0}}}};
  const Limits limits = measured(machine, some_cost());
  // Reading 0.02 s; computing 3 / 30 + 1 / 20 = 0.15 s, most of it in maddubs16.
  const Judgement judged = judge(some_cost(), 0.3, 2, false, limits, false);
  EXPECT_EQ(judged.limit, "maddubs16");
  ASSERT_TRUE(judged.percent.has_value());
  EXPECT_DOUBLE_EQ(*judged.percent, 50.0);
}

TEST(BenchLimits, LookUpsCountAsTheMultiplyAddsThatTheyStandFor) {
  BenchCost cost;
  cost.n_tokens = cost.n_steps = 10;
  cost.bytes = 1e8;
  cost.products = {{.peak = "lookup8", .n = 4e9, .per_operation = 2}};
  FakeMachine machine{.values = {{"read_huge", {20.0}}, {"lookup8", {50.0}}, {"maddubs16", {60.0}}}};
  const Limits limits = measured(machine, cost);
  EXPECT_EQ(machine.asked.at("maddubs16"), 1U) << "what other code could do is measured beside it";
  // 4e9 / 2 look-ups at 50e9 a second take 0.04 s.
  const Judgement judged = judge(cost, 0.05, 2, false, limits, false);
  EXPECT_EQ(judged.limit, "lookup8");
  EXPECT_DOUBLE_EQ(judged.percent.value(), 80.0);
  EXPECT_DOUBLE_EQ(judged.ratio_to_16_bit_sums.value(), 4e9 / 0.05 / 60e9);
  for (const Limit& limit : limits.all()) {
    EXPECT_EQ(limit.unit() == "G/s", limit.quantity == "lookup8") << limit.quantity;
  }
  // Where reading binds, or nothing is looked up, there is nothing to say.
  cost.bytes = 1e9;
  EXPECT_FALSE(judge(cost, 0.06, 2, true, limits, false).ratio_to_16_bit_sums.has_value());
  EXPECT_FALSE(judge(some_cost(), 0.125, 2, false, measured(machine, some_cost()), false).ratio_to_16_bit_sums);
}

TEST(BenchLimits, AMissingPeakLeavesAPromptWithoutAPercentageAndGenerationWithThatOfReading) {
  FakeMachine machine{.values = {{"read_huge", {20.0}}, {"maddubs16", {60.0}}}};
  const Limits limits = measured(machine, some_cost());
  EXPECT_FALSE(judge(some_cost(), 0.2, 2, false, limits, false).percent.has_value());
  EXPECT_EQ(judge(some_cost(), 0.2, 2, false, limits, false).limit, "");
  const Judgement generated = judge(some_cost(), 0.2, 2, true, limits, false);
  EXPECT_EQ(generated.limit, "read_huge");
  EXPECT_DOUBLE_EQ(generated.percent.value_or(0.0), 50.0);
  EXPECT_FALSE(judge(some_cost(), 0.2, 1, true, limits, false).percent.has_value()) << "of another number of threads";
}

TEST(BenchLimits, TheBetterRoundIsTheLimitAndWhatFailedIsNotAskedAgain) {
  FakeMachine machine{.values = {{"read_huge", {18.0, 20.0, 19.0}}, {"maddubs16", {60.0, 55.0, 40.0}}}};
  const Limits limits = measured(machine, some_cost(), 3);
  EXPECT_EQ(limits.find("read_huge", 2), 20.0);
  EXPECT_EQ(limits.find("maddubs16", 2), 60.0);
  EXPECT_EQ(limits.find("maddubs32", 2), std::nullopt);
  EXPECT_EQ(machine.asked["read_huge"], 3U);
  EXPECT_EQ(machine.asked["maddubs32"], 1U);
}

TEST(BenchLimits, EachQuantityIsMeasuredOnceForEachNumberOfThreads) {
  FakeMachine machine{.values = {{"read_huge", {20.0, 30.0}}, {"maddubs16", {60.0, 70.0}}, {"maddubs32", {1.0, 2.0}}}};
  Limits limits;
  Listener listener;
  limits.want(some_cost(), 1);
  limits.want(some_cost(), 2);
  limits.want(some_cost(), 1);
  limits.want("", 1);
  ASSERT_TRUE(limits.measure(machine.function(), 7, listener));
  EXPECT_EQ(limits.all().size(), 6U);
  EXPECT_EQ(limits.find("read_huge", 1), 20.0);
  EXPECT_EQ(limits.find("read_huge", 2), 30.0);
  EXPECT_EQ(machine.buffers, std::vector<std::uint64_t>(6, 7));
  EXPECT_TRUE(listener.notes.empty());
}

TEST(BenchLimits, WhatCannotBeMeasuredIsSaidOnce) {
  FakeMachine machine;
  Limits limits;
  Listener listener;
  limits.want("read_huge", 1);
  ASSERT_TRUE(limits.measure(machine.function(), 7, listener));
  ASSERT_TRUE(limits.measure(machine.function(), 7, listener));
  EXPECT_EQ(listener.notes, std::vector<std::string>{"no limit: read_huge: not here"});
}

TEST(BenchLimits, WithoutAFunctionThereAreNoPercentages) {
  Limits limits;
  Listener listener;
  limits.want(some_cost(), 2);
  ASSERT_TRUE(limits.measure({}, 7, listener));
  EXPECT_TRUE(listener.notes.empty());
  EXPECT_FALSE(judge(some_cost(), 0.1, 2, true, limits, false).percent.has_value());
}

TEST(BenchLimits, MeasuringStopsWhenOneIsToldTo) {
  FakeMachine machine{.values = {{"read_huge", {20.0}}}};
  Limits limits;
  Listener listener;
  listener.stop = true;
  limits.want("read_huge", 1);
  const auto done = limits.measure(machine.function(), 7, listener);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::cancelled);
}

TEST(BenchLimits, MoreThanAHundredPercentIsAnErrorThatNamesTheRowAndBothFigures) {
  FakeMachine machine{.values = {{"read_huge", {20.0}}, {"maddubs16", {60.0}}, {"maddubs32", {50.0}}}};
  const Limits limits = measured(machine, some_cost());
  const Judgement judged = judge(some_cost(), 0.09, 2, true, limits, false);
  EXPECT_NEAR(judged.percent.value_or(0.0), 111.1, 0.1);
  const auto checked = check_percent(judged, limits.all(), 2, "tg10, threads 2, avx2", "111.1 tokens/s");
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, ErrorCode::internal);
  for (const char* part : {"tg10, threads 2, avx2", "111.1 tokens/s", "111.1 %", "read_huge 20.0 GB/s"}) {
    EXPECT_NE(checked.error().message.find(part), std::string::npos) << checked.error().message;
  }
  EXPECT_TRUE(check_percent(judge(some_cost(), 0.1, 2, true, limits, false), limits.all(), 2, "", "").has_value());
}

TEST(BenchLimits, FasterThanMemoryIsNoErrorWhereTheWeightsMayComeFromTheCache) {
  FakeMachine machine{.values = {{"read_huge", {20.0}}, {"maddubs16", {60.0}}, {"maddubs32", {50.0}}}};
  const Limits limits = measured(machine, some_cost());
  const Judgement cached = judge(some_cost(), 0.09, 2, true, limits, true);
  EXPECT_FALSE(cached.percent.has_value());
  EXPECT_TRUE(cached.from_cache);
  EXPECT_TRUE(check_percent(cached, limits.all(), 2, "", "").has_value());
  const Judgement slower = judge(some_cost(), 0.2, 2, true, limits, true);
  EXPECT_DOUBLE_EQ(slower.percent.value_or(0.0), 50.0);
  EXPECT_FALSE(slower.from_cache);
  // No cache makes arithmetic faster.
  FakeMachine slow{.values = {{"read_huge", {200.0}}, {"maddubs16", {6.0}}, {"maddubs32", {5.0}}}};
  const Limits peaks = measured(slow, some_cost());
  EXPECT_GT(judge(some_cost(), 0.09, 2, true, peaks, true).percent.value_or(0.0), 100.0);
}

TEST(BenchLimits, TheBufferIsAsLargeAsAStepReadsButAtLeastAGigabyteAndNotBeyondFourCaches) {
  EXPECT_EQ(read_buffer_bytes(5e8, 32 << 20), 1'000'000'000U);
  EXPECT_EQ(read_buffer_bytes(1.5e9, 480'000'000), 1'500'000'000U);
  EXPECT_EQ(read_buffer_bytes(4e9, 480'000'000), 1'920'000'000U);
  EXPECT_EQ(read_buffer_bytes(4e9, 32 << 20), 1'000'000'000U);
  EXPECT_EQ(read_buffer_bytes(4e9, 0), 4'000'000'000U) << "an unknown cache could be any size";
}

}  // namespace
}  // namespace tern::lab
