// Each filter by itself against probabilities computed by hand, the penalty, ties, seeds, bounds.
#include "engine/sampler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace tern::engine {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// No filter, temperature 1: the draw is from the softmax itself.
SamplerOptions open_options() {
  return {.temperature = 1.0F,
          .top_k = 0,
          .top_p = 1.0F,
          .min_p = 0.0F,
          .repeat_penalty = 1.0F,
          .repeat_last_n = 64,
          .seed = 5};
}

std::map<std::int32_t, double> shares(const SamplerOptions& options, const std::vector<float>& logits,
                                      const std::vector<std::int32_t>& history = {}) {
  constexpr int kDraws = 20000;
  Sampler sampler(options);
  std::map<std::int32_t, double> out;
  for (int i = 0; i < kDraws; ++i) out[sampler.sample(logits, history)] += 1.0 / kDraws;
  return out;
}

// Expected probabilities, 0 where a token must never come. 0.015 is over four standard deviations of 20,000 draws.
void expect_shares(const SamplerOptions& options, const std::vector<float>& logits, const std::vector<double>& expected,
                   const std::vector<std::int32_t>& history = {}) {
  auto got = shares(options, logits, history);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double share = got[static_cast<std::int32_t>(i)];
    if (expected[i] == 0.0) {
      EXPECT_EQ(share, 0.0) << "token " << i;
    } else {
      EXPECT_NEAR(share, expected[i], 0.015) << "token " << i;
    }
  }
}

// Logits whose softmax is 0.5, 0.3, 0.15, 0.05, in mixed order.
const std::vector<float> kLogits{std::log(0.15F), std::log(0.5F), std::log(0.05F), std::log(0.3F)};

TEST(Sampler, WithoutFiltersDrawsFromTheSoftmax) {
  expect_shares(open_options(), kLogits, {0.15, 0.5, 0.05, 0.3});
}

TEST(Sampler, TemperatureSharpensAndFlattens) {
  auto options = open_options();
  options.temperature = 0.5F;  // probabilities squared
  const double total = 0.15 * 0.15 + 0.5 * 0.5 + 0.05 * 0.05 + 0.3 * 0.3;
  expect_shares(options, kLogits, {0.0225 / total, 0.25 / total, 0.0025 / total, 0.09 / total});
}

TEST(Sampler, TopKKeepsTheKBest) {
  auto options = open_options();
  options.top_k = 2;
  expect_shares(options, kLogits, {0, 0.625, 0, 0.375});
  options.top_k = 1;
  expect_shares(options, kLogits, {0, 1, 0, 0});
  options.top_k = 100;
  expect_shares(options, kLogits, {0.15, 0.5, 0.05, 0.3});
}

TEST(Sampler, TopPKeepsTheFewestThatReachTheShare) {
  auto options = open_options();
  options.top_p = 0.79F;  // 0.5 + 0.3 reach it
  expect_shares(options, kLogits, {0, 0.625, 0, 0.375});
  options.top_p = 0.81F;
  expect_shares(options, kLogits, {0.15 / 0.95, 0.5 / 0.95, 0, 0.3 / 0.95});
  options.top_p = 0.0001F;  // one is always kept
  expect_shares(options, kLogits, {0, 1, 0, 0});
}

TEST(Sampler, TopPCountsAmongWhatTopKLeft) {
  auto options = open_options();
  options.top_k = 2;
  options.top_p = 0.62F;  // of the two left, the first has 0.625
  expect_shares(options, kLogits, {0, 1, 0, 0});
}

TEST(Sampler, MinPKeepsWhatHasThatShareOfTheBest) {
  auto options = open_options();
  options.min_p = 0.59F;  // 0.3 / 0.5 = 0.6 stays
  expect_shares(options, kLogits, {0, 0.625, 0, 0.375});
  options.min_p = 0.61F;
  expect_shares(options, kLogits, {0, 1, 0, 0});
  options.min_p = 1.0F;
  expect_shares(options, kLogits, {0, 1, 0, 0});
  expect_shares(options, {1.0F, 1.0F, 0.0F}, {0.5, 0.5, 0});
}

TEST(Sampler, ThePenaltyDividesPositiveLogitsAndMultipliesNegativeOnesOnce) {
  auto options = open_options();
  options.temperature = 0.0F;
  options.repeat_penalty = 2.0F;
  const std::vector<float> logits{4.0F, 3.0F, -1.0F, -1.5F};
  const auto greedy = [&](const std::vector<std::int32_t>& history) {
    return Sampler(options).sample(logits, history);
  };
  EXPECT_EQ(greedy({}), 0);
  EXPECT_EQ(greedy({0}), 1);           // 2 against 3
  EXPECT_EQ(greedy({0, 1, 1, 1}), 0);  // 2 against 1.5: repetition counts once
  options.repeat_last_n = 1;
  EXPECT_EQ(greedy({0, 2}), 0) << "0 is out of sight";
  options.repeat_last_n = 2;
  EXPECT_EQ(greedy({0, 2}), 1);
  options.repeat_last_n = -1;
  EXPECT_EQ(greedy({0, 2, 2, 2, 2}), 1);
  options.repeat_last_n = 0;
  EXPECT_EQ(greedy({0}), 0);
  options = open_options();
  options.repeat_penalty = 2.0F;
  // Logits ln 2 and -ln 2, the second penalised: -2 ln 2.
  const float l = std::log(2.0F);
  expect_shares(options, {l, -l}, {2.0 / 2.25, 0.25 / 2.25}, {1});
}

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  auto options = open_options();
  options.temperature = 0.0F;
  EXPECT_EQ(Sampler(options).sample(std::vector<float>{1.0F, 3.0F, 3.0F, 2.0F}, {}), 1);
  options.repeat_penalty = 1.1F;  // the other path: all tokens stand in a list
  EXPECT_EQ(Sampler(options).sample(std::vector<float>{1.0F, 3.0F, 3.0F, 2.0F}, std::vector<std::int32_t>{0}), 1);
  EXPECT_EQ(argmax(std::vector<float>{-kInf, -kInf}), 0);
}

TEST(Sampler, TheSeedDecidesTheTokens) {
  auto options = open_options();
  const auto tokens = [&](std::uint64_t seed) {
    options.seed = seed;
    Sampler sampler(options);
    std::vector<std::int32_t> out;
    for (int i = 0; i < 64; ++i) out.push_back(sampler.sample(kLogits, {}));
    return out;
  };
  EXPECT_EQ(tokens(1), tokens(1));
  EXPECT_NE(tokens(1), tokens(2));
}

TEST(Sampler, NanAndInfinityGiveATokenOfTheVocabulary) {
  for (const float temperature : {0.0F, 1.0F}) {
    for (const float penalty : {1.0F, 1.3F}) {
      auto options = open_options();
      options.temperature = temperature;
      options.repeat_penalty = penalty;
      options.top_k = 3;
      options.top_p = 0.9F;
      options.min_p = 0.1F;
      for (const std::vector<float>& logits :
           {std::vector<float>{kNan, 1.0F, kNan, 9.0F, kNan}, std::vector<float>{kNan, kNan},
            std::vector<float>{kInf, 0.0F, kInf}, std::vector<float>{-kInf, -kInf, -kInf}}) {
        const std::int32_t token = Sampler(options).sample(logits, std::vector<std::int32_t>{0});
        EXPECT_GE(token, 0);
        EXPECT_LT(token, static_cast<std::int32_t>(logits.size()));
      }
      EXPECT_EQ(Sampler(options).sample(std::vector<float>{kNan, 1.0F, kNan, 99.0F}, {}), 3)
          << "NaN is never preferred";
    }
  }
}

TEST(SamplerOptions, EveryBoundIsCheckedAndNamed) {
  EXPECT_TRUE(check(SamplerOptions{}).has_value());
  const auto message = [](auto change) {
    SamplerOptions options;
    change(options);
    const auto result = check(options);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_EQ(message([](auto& o) { o.temperature = -0.1F; }), "--temp is -0.1, expected 0 (greedy) or more");
  EXPECT_EQ(message([](auto& o) { o.temperature = kNan; }), "--temp is nan, expected 0 (greedy) or more");
  EXPECT_EQ(message([](auto& o) { o.temperature = kInf; }), "--temp is inf, expected 0 (greedy) or more");
  EXPECT_EQ(message([](auto& o) { o.temperature = 0.0F; }), "accepted");
  EXPECT_EQ(message([](auto& o) { o.top_k = -1; }), "--top-k is -1, expected 0 (all) or more");
  EXPECT_EQ(message([](auto& o) { o.top_p = 0.0F; }), "--top-p is 0, expected above 0 and at most 1");
  EXPECT_EQ(message([](auto& o) { o.top_p = 1.5F; }), "--top-p is 1.5, expected above 0 and at most 1");
  EXPECT_EQ(message([](auto& o) { o.top_p = 1.0F; }), "accepted");
  EXPECT_EQ(message([](auto& o) { o.min_p = kNan; }), "--min-p is nan, expected 0 to 1");
  EXPECT_EQ(message([](auto& o) { o.min_p = 1.0F; }), "accepted");
  EXPECT_EQ(message([](auto& o) { o.repeat_penalty = 0.0F; }), "--repeat-penalty is 0, expected above 0 (1 is none)");
  EXPECT_EQ(message([](auto& o) { o.repeat_last_n = -2; }), "--repeat-last-n is -2, expected -1 (all) or more");
}

}  // namespace
}  // namespace tern::engine
