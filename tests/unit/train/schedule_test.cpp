// Schedules at their boundaries, and the one that the PyTorch twins of our models were trained with, step by step.
#include "train/run/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace tern::train {
namespace {

Schedule of_kind(Schedule::Kind kind) {
  Schedule s;
  s.kind = kind;
  s.n_steps = 1000;
  s.warm_up = 0;
  s.peak = 2.0;
  s.last = 0.1;
  return s;
}

TEST(Schedule, LinearFallsFromThePeakToItsLastShare) {
  const Schedule s = of_kind(Schedule::Kind::linear);
  EXPECT_DOUBLE_EQ(s.learning_rate(0), 2.0);
  EXPECT_DOUBLE_EQ(s.learning_rate(500), 2.0 * 0.55);
  EXPECT_NEAR(s.learning_rate(999), 2.0 * (0.1 + 0.9 / 1000), 1e-12);
}

TEST(Schedule, CosineFallsAlongHalfAWave) {
  const Schedule s = of_kind(Schedule::Kind::cosine);
  EXPECT_DOUBLE_EQ(s.learning_rate(0), 2.0);
  EXPECT_NEAR(s.learning_rate(250), 2.0 * (0.1 + 0.9 * (0.5 + std::sqrt(0.125))), 1e-12);
  EXPECT_NEAR(s.learning_rate(500), 2.0 * 0.55, 1e-12);
  EXPECT_NEAR(s.learning_rate(999), 2.0 * 0.1, 1e-5);
  EXPECT_GT(s.learning_rate(999), 2.0 * 0.1);
}

TEST(Schedule, WsdStaysAtThePeakAndThenFallsLinearly) {
  Schedule s = of_kind(Schedule::Kind::wsd);
  s.stable_until = 0.8;
  EXPECT_DOUBLE_EQ(s.learning_rate(0), 2.0);
  EXPECT_DOUBLE_EQ(s.learning_rate(799), 2.0);
  EXPECT_DOUBLE_EQ(s.learning_rate(800), 2.0);
  EXPECT_NEAR(s.learning_rate(900), 2.0 * 0.55, 1e-12);
  EXPECT_NEAR(s.learning_rate(999), 2.0 * (0.1 + 0.9 / 200), 1e-12);
  s.stable_until = 1.0;
  EXPECT_DOUBLE_EQ(s.learning_rate(999), 2.0) << "nothing is left to fall in";
  s.stable_until = 0.0;
  EXPECT_DOUBLE_EQ(s.learning_rate(0), 2.0);
  EXPECT_DOUBLE_EQ(s.learning_rate(500), 2.0 * 0.55);
}

TEST(Schedule, TwoStagesHaveTwoPeaksAndAFloor) {
  Schedule s = of_kind(Schedule::Kind::two_stage);
  s.first_end = 0.6;
  s.second_peak = 0.4;
  EXPECT_DOUBLE_EQ(s.learning_rate(0), 2.0);
  EXPECT_DOUBLE_EQ(s.learning_rate(250), 2.0 * 0.8);
  EXPECT_NEAR(s.learning_rate(499), 2.0 * (1.0 - 0.4 * 499 / 500), 1e-12);
  EXPECT_DOUBLE_EQ(s.learning_rate(500), 2.0 * 0.4) << "the second stage begins at half-way";
  EXPECT_DOUBLE_EQ(s.learning_rate(750), 2.0 * 0.4 * 0.5);
  EXPECT_DOUBLE_EQ(s.learning_rate(999), 2.0 * 0.4 * 0.1) << "a share of the second peak is the least";
}

TEST(Schedule, WarmUpMultipliesEveryKind) {
  for (std::size_t kind = 0; kind < kScheduleNames.size(); ++kind) {
    Schedule s = of_kind(static_cast<Schedule::Kind>(kind));
    const Schedule cold = s;
    s.warm_up = 100;
    EXPECT_DOUBLE_EQ(s.learning_rate(0), cold.learning_rate(0) / 100) << kScheduleNames[kind];
    EXPECT_DOUBLE_EQ(s.learning_rate(49), cold.learning_rate(49) * 0.5);
    EXPECT_DOUBLE_EQ(s.learning_rate(99), cold.learning_rate(99)) << "full at the last step of the warm-up";
    EXPECT_DOUBLE_EQ(s.learning_rate(100), cold.learning_rate(100));
  }
}

// lr(s) of the script that made the reference models (../shared/data/models/make_models.py), for its two kinds.
TEST(Schedule, RatesOfTheReferenceModelsAreReproducedAtEveryStep) {
  constexpr double kPeak = 3e-3;
  for (const std::int64_t steps : {std::int64_t{1100}, std::int64_t{1101}}) {
    Schedule as_float{.kind = Schedule::Kind::cosine, .n_steps = steps, .warm_up = 100, .peak = kPeak, .last = 0.05};
    Schedule bitnet{.kind = Schedule::Kind::two_stage,
                    .n_steps = steps,
                    .warm_up = 100,
                    .peak = kPeak,
                    .last = 0.02,
                    .first_end = 0.5,
                    .second_peak = 0.5,
                    .weight_decay = 0.1,
                    .decay_until = 0.5};
    for (std::int64_t i = 0; i < steps; ++i) {
      const auto s = static_cast<double>(i);
      const double w = std::min(1.0, (s + 1.0) / 100.0);
      const double cosine =
          kPeak * w * (0.05 + 0.95 * 0.5 * (1.0 + std::cos(std::numbers::pi * s / static_cast<double>(steps))));
      const double h = static_cast<double>(steps) / 2.0;
      const double two = w * (s < h ? kPeak * (1.0 - 0.5 * s / h) : kPeak * 0.5 * std::max(0.02, 1.0 - (s - h) / h));
      ASSERT_NEAR(as_float.learning_rate(i), cosine, 1e-12 * kPeak) << "float, step " << i;
      ASSERT_NEAR(bitnet.learning_rate(i), two, 1e-12 * kPeak) << "bitnet, step " << i;
      ASSERT_EQ(bitnet.weight_decay_at(i), s > static_cast<double>(steps) / 2.0 ? 0.0 : 0.1) << "step " << i;
    }
  }
}

TEST(Schedule, WeightDecayEndsAfterItsShareOfTheSteps) {
  Schedule s = of_kind(Schedule::Kind::linear);
  s.weight_decay = 0.3;
  EXPECT_EQ(s.weight_decay_at(999), 0.3) << "by default it never ends";
  s.decay_until = 0.25;
  EXPECT_EQ(s.weight_decay_at(250), 0.3);
  EXPECT_EQ(s.weight_decay_at(251), 0.0);
  s.decay_until = 0.0;
  EXPECT_EQ(s.weight_decay_at(0), 0.3);
  EXPECT_EQ(s.weight_decay_at(1), 0.0);
}

TEST(Schedule, QuantisationBeginsWhereItShouldAndFadesIn) {
  Schedule s = of_kind(Schedule::Kind::linear);
  EXPECT_EQ(s.lambda(0), 1.0) << "by default all is quantised at once";
  s.quantise_from = 0.5;
  EXPECT_EQ(s.lambda(499), 0.0);
  EXPECT_EQ(s.lambda(500), 1.0);
  s.fade_in = 10;
  EXPECT_EQ(s.lambda(499), 0.0);
  EXPECT_DOUBLE_EQ(s.lambda(500), 0.1);
  EXPECT_DOUBLE_EQ(s.lambda(501), 0.2);
  EXPECT_EQ(s.lambda(509), 1.0);
  EXPECT_EQ(s.lambda(510), 1.0);
  EXPECT_EQ(s.lambda(999), 1.0);
  s.quantise_from = 1.0;
  s.fade_in = 0;
  EXPECT_EQ(s.lambda(999), 0.0) << "never";
}

TEST(Schedule, NamesAreReadBack) {
  for (const std::string_view name : kScheduleNames) {
    const auto kind = schedule_by_name(name);
    ASSERT_TRUE(kind);
    EXPECT_EQ(schedule_name(*kind), name);
  }
  const auto wrong = schedule_by_name("cosin");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("did you mean cosine?"), std::string::npos) << wrong.error().message;
  EXPECT_NE(wrong.error().message.find("two_stage"), std::string::npos) << wrong.error().message;
}

}  // namespace
}  // namespace tern::train
