// Frequencies of rotary positions: the plain rule, both ways to stretch it, and LLaMA 3.1's divisors.
#include "models/rope_scaling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace tern::models {
namespace {

RopeStep step(std::int64_t n_rotary, float base) {
  return {.in = 0,
          .out = 0,
          .n_heads = 1,
          .head_dim = n_rotary,
          .n_rotary = n_rotary,
          .pairing = RopeStep::Pairing::half_split,
          .base = base,
          .scaling = {}};
}

TEST(RopeFrequencies, AreThePowersOfTheBase) {
  const auto frequencies = rope_frequencies(step(64, 10000.0F));
  ASSERT_EQ(frequencies.inverse.size(), 32U);
  EXPECT_EQ(frequencies.inverse[0], 1.0F);
  EXPECT_EQ(frequencies.magnitude, 1.0F);
  for (std::size_t i = 0; i < 32; ++i) {
    const double exact = std::pow(10000.0, -2.0 * static_cast<double>(i) / 64.0);
    EXPECT_NEAR(static_cast<double>(frequencies.inverse[i]), exact, exact * 1.5e-7) << i;
  }
  EXPECT_TRUE(rope_frequencies(step(0, 10000.0F)).inverse.empty());
}

TEST(RopeFrequencies, LinearScalingDividesAll) {
  RopeStep scaled = step(32, 500.0F);
  const auto plain = rope_frequencies(scaled);
  scaled.scaling = {.kind = RopeScaling::Kind::linear, .factor = 4.0F};
  const auto divided = rope_frequencies(scaled);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(divided.inverse[i], plain.inverse[i] / 4.0F);
  EXPECT_EQ(divided.magnitude, 1.0F);
}

// In the paper's words: a pair that turns more than beta_fast times over the original context is kept, one that turns
// less than beta_slow times is divided, those between follow a ramp; scores are sharpened by (1 + ln(s) / 10).
TEST(RopeFrequencies, YarnKeepsTheFastAndDividesTheSlow) {
  RopeStep scaled = step(128, 10000.0F);
  const auto plain = rope_frequencies(scaled);
  scaled.scaling = {.kind = RopeScaling::Kind::yarn, .factor = 16.0F, .original_context = 4096};
  const auto yarn = rope_frequencies(scaled);
  EXPECT_NEAR(yarn.magnitude, 1.0 + 0.1 * std::log(16.0), 1e-6);
  int kept = 0;
  int divided = 0;
  double share_before = 1.1;
  for (std::size_t i = 0; i < 64; ++i) {
    const double turns = 4096.0 * static_cast<double>(plain.inverse[i]) / (2.0 * std::numbers::pi);
    const double ratio = static_cast<double>(yarn.inverse[i]) / static_cast<double>(plain.inverse[i]);
    if (turns > 32.0) {
      EXPECT_NEAR(ratio, 1.0, 0.05) << i;  // the ramp begins at a whole dimension, which may lie within
      ++kept;
    }
    if (turns < 1.0) {
      EXPECT_NEAR(ratio, 1.0 / 16.0, 0.05) << i;
      ++divided;
    }
    EXPECT_LE(ratio, share_before + 1e-6) << i;
    share_before = ratio;
  }
  EXPECT_GT(kept, 10);
  EXPECT_GT(divided, 10);
  scaled.scaling.attention_factor = 0.5F;
  EXPECT_NEAR(rope_frequencies(scaled).magnitude, 0.5 * (1.0 + 0.1 * std::log(16.0)), 1e-6);
}

// The rule of LLaMA 3.1 written once more in its own terms: long wavelengths are slowed by the factor, short ones are
// kept, those between are interpolated.
TEST(RopeFactors, FollowTheThreeBandsOfLlama3) {
  const Llama3Rope rule{.factor = 8.0F, .low_freq_factor = 1.0F, .high_freq_factor = 4.0F, .original_context = 8192};
  const auto factors = llama3_rope_factors(rule, 128, 500000.0F);
  ASSERT_EQ(factors.size(), 64U);
  int kept = 0;
  int slowed = 0;
  int between = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double turns = 8192.0 / (2.0 * std::numbers::pi * std::pow(500000.0, static_cast<double>(i) / 64.0));
    if (turns > 4.0) {
      EXPECT_EQ(factors[i], 1.0F) << i;
      ++kept;
    } else if (turns < 1.0) {
      EXPECT_EQ(factors[i], 8.0F) << i;
      ++slowed;
    } else {
      const double share = (turns - 1.0) / 3.0;  // of the kept frequency
      EXPECT_NEAR(1.0 / static_cast<double>(factors[i]), share + (1.0 - share) / 8.0, 1e-6) << i;
      ++between;
    }
  }
  EXPECT_GT(kept, 20);
  EXPECT_GT(slowed, 20);
  EXPECT_GT(between, 2);
}

}  // namespace
}  // namespace tern::models
