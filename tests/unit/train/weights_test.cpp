// Quantised matrices of a plan: fading in, statistics, flips, learned steps, and what cannot be grouped.
#include "train/weights.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "models/plan_builder.hpp"
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

// Two matrices [8, 128] and [128, 192] of linears.
models::Plan plan_of_two() {
  models::PlanBuilder b;
  const auto x = b.embed("x", b.tensor("embd", matrix_shape(128, 10), models::TensorRole::embedding));
  const auto y = b.linear("y", x, b.tensor("a.weight", matrix_shape(128, 192), models::TensorRole::linear), {});
  b.linear("z", y, b.tensor("b.weight", matrix_shape(192, 8), models::TensorRole::linear), {});
  return b.take();
}

bool every(const models::TensorSpec& /*spec*/) {
  return true;
}

void set_random(Parameters& parameters, std::uint64_t seed) {
  Random random(seed);
  for (const auto& p : parameters.all()) {
    for (float& value : p->master.span()) value = static_cast<float>(random.normal() * 0.1);
  }
}

TEST(Weights, AGroupMustDivideTheRowsAndTheErrorNamesTheFirstThatItDoesNot) {
  const models::Plan plan = plan_of_two();
  Parameters parameters(plan, &every);
  EXPECT_TRUE(Weights::make(plan, parameters, {.weights = &kAbsmean, .group = 64}));
  const auto made = Weights::make(plan, parameters, {.weights = &kAbsmean, .group = 128});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::usage);
  EXPECT_TRUE(made.error().message.starts_with("b.weight has rows of 192 values")) << made.error().message;
  EXPECT_TRUE(Weights::make(plan, parameters, {.group = 100})) << "without a quantiser nothing is grouped";
}

TEST(Weights, FadeInBetweenMastersAndTheirRoundedForm) {
  const models::Plan plan = plan_of_two();
  for (const std::int64_t group : {std::int64_t{0}, std::int64_t{64}}) {
    Parameters parameters(plan, &every);
    set_random(parameters, 1);
    auto weights = Weights::make(plan, parameters, {.weights = &kAbsmean, .group = group});
    ASSERT_TRUE(weights);
    sys::ThreadPool pool(2);
    const Parameter& master = *parameters.find("a.weight");
    Weight& weight = *weights->all().front();
    weights->renew(1.0F, pool);
    std::vector<float> rounded;
    for (std::int64_t i = 0; i < master.master.size(); ++i) rounded.push_back(weight.values()[i] * weight.scale());
    for (const float lambda : {0.0F, 0.25F, 0.5F, 0.99F}) {
      weights->renew(lambda, pool);
      EXPECT_EQ(weights->lambda(), lambda);
      EXPECT_EQ(weight.scale(), 1.0F);
      for (std::size_t i = 0; i < rounded.size(); ++i) {
        const float w = master.master.data()[i];
        ASSERT_EQ(weight.values()[i], lambda == 0.0F ? w : w + lambda * (rounded[i] - w)) << lambda << " [" << i << "]";
      }
    }
  }
}

TEST(Weights, WithoutAQuantiserTheMastersAreUsed) {
  const models::Plan plan = plan_of_two();
  Parameters parameters(plan, &every);
  auto weights = Weights::make(plan, parameters, {});
  ASSERT_TRUE(weights);
  sys::ThreadPool pool(1);
  weights->renew(1.0F, pool);
  EXPECT_EQ(weights->lambda(), 0.0F);
  EXPECT_EQ(weights->all().front()->values(), parameters.find("a.weight")->master.data());
  EXPECT_FALSE(weights->all().front()->is_quantized());
  EXPECT_EQ(weights->all().front()->statistics().zero, 0.0);
}

TEST(Weights, StatisticsCountCodesAndFlips) {
  const models::Plan plan = plan_of_two();
  Parameters parameters(plan, &every);
  set_random(parameters, 2);
  auto weights = Weights::make(plan, parameters, {.weights = &kAbsmean});
  ASSERT_TRUE(weights);
  sys::ThreadPool pool(1);
  Parameter& master = *parameters.find("a.weight");
  // Scale 1: half of the magnitudes 2, half 0; signs by turns.
  for (std::int64_t i = 0; i < master.master.size(); ++i) {
    master.master.data()[i] = i % 2 == 0 ? 0.0F : (i % 8 == 1 ? -2.0F : 2.0F);
  }
  weights->renew(1.0F, pool);
  const Weight& weight = *weights->all().front();
  EXPECT_EQ(weight.statistics().zero, 0.5);
  EXPECT_EQ(weight.statistics().minus, 0.125);
  EXPECT_EQ(weight.statistics().plus, 0.375);
  EXPECT_EQ(weight.statistics().scale, 1.0F);
  EXPECT_EQ(weight.n_flips(), 0) << "nothing was there before the first time";
  weights->renew(1.0F, pool);
  EXPECT_EQ(weight.n_flips(), 0);
  for (const int i : {1, 3, 5}) master.master.data()[i] = -master.master.data()[i];
  master.master.data()[7] = 2.5F;  // the same code
  weights->renew(1.0F, pool);
  EXPECT_EQ(weight.n_flips(), 3);
  EXPECT_EQ(weight.statistics().flips, 3);
}

TEST(Weights, LearnedStepsAreParametersOfTheirMatrix) {
  const models::Plan plan = plan_of_two();
  Parameters parameters(plan, &every);
  set_random(parameters, 3);
  auto weights = Weights::make(plan, parameters, {.weights = &kLsq4, .group = 64});
  ASSERT_TRUE(weights);
  const Parameter* step = parameters.find("a.step");
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->master.size(), 192 * 128 / 64);
  EXPECT_FALSE(step->decays);
  weights->start_steps();
  sys::ThreadPool pool(1);
  weights->renew(1.0F, pool);
  const Weight& weight = *weights->all().front();
  for (std::size_t g = 0; g < weight.scales().size(); ++g) {
    ASSERT_EQ(weight.scales()[g], round_scale(step->master.data()[g])) << "group " << g;
    ASSERT_GT(weight.scales()[g], 0.0F);
  }
  for (const std::int8_t code : weight.codes()) {
    ASSERT_GE(code, -8);
    ASSERT_LE(code, 7);
  }
}

TEST(Weights, GradientsOfAHalfFadedMatrixAreMixed) {
  const models::Plan plan = plan_of_two();
  for (const bool clipped : {false, true}) {
    Parameters parameters(plan, &every);
    set_random(parameters, 4);
    auto weights = Weights::make(
        plan, parameters,
        {.weights = &kAbsmean, .straight_through = clipped ? StraightThrough::clipped : StraightThrough::identity});
    ASSERT_TRUE(weights);
    sys::ThreadPool pool(1);
    weights->renew(0.25F, pool);
    Parameter& master = *parameters.find("a.weight");
    std::ranges::fill(master.gradient.span(), 1.0F);
    weights->finish_gradients(pool);
    const float scale = weights->all().front()->scales()[0];
    int n_beyond = 0;
    for (std::int64_t i = 0; i < master.master.size(); ++i) {
      const bool beyond = std::fabs(master.master.data()[i]) > scale;
      n_beyond += beyond ? 1 : 0;
      ASSERT_EQ(master.gradient.data()[i], clipped && beyond ? 0.75F : 1.0F) << i;
    }
    EXPECT_GT(n_beyond, 1000);
  }
}

TEST(Weights, AScaleIsPositiveAndAHalfWhateverItIsMadeOf) {
  for (const float scale : {-1.0F, 0.0F, 1e-30F, 1e-5F, 0.1F, 65504.0F, 1e30F, INFINITY}) {
    const float rounded = round_scale(scale);
    EXPECT_GT(rounded, 0.0F) << scale;
    EXPECT_LE(rounded, 65504.0F) << scale;
    EXPECT_EQ(round_scale(rounded), rounded) << scale;
  }
  EXPECT_TRUE(std::isnan(round_scale(std::nanf(""))));
}

// A quotient is rounded once, a product with a reciprocal twice: near ties they are different codes.
TEST(Weights, CodesComeOfDivisions) {
  Random random(5);
  int n_different = 0;
  for (int i = 0; i < 2000; ++i) {
    const float scale = round_scale(static_cast<float>(0.01 + random.uniform()));
    const float tie = scale * 3.5F;
    for (const float w : {tie, std::nextafter(tie, 0.0F), std::nextafter(tie, 9.0F)}) {
      float code = 0.0F;
      round_to_codes({&w, 1}, scale, -8, 7, &code);
      ASSERT_EQ(code, std::nearbyint(w / scale)) << w << " / " << scale;
      n_different += code != std::nearbyint(w * (1.0F / scale)) ? 1 : 0;
    }
  }
  EXPECT_GT(n_different, 50) << "the cases tell the two apart";
}

TEST(Weights, QuantisersAreFoundByName) {
  const std::vector<std::string_view> names = weight_quantizer_names();
  EXPECT_EQ(names, (std::vector<std::string_view>{"none", "absmean", "absmedian", "sign", "lsq4", "lsq8"}));
  for (const std::string_view name : names) {
    const auto found = weight_quantizer_by_name(name);
    ASSERT_TRUE(found) << name;
    if (name == "none") {
      EXPECT_EQ(*found, nullptr);
    } else {
      EXPECT_EQ((*found)->name, name);
    }
  }
  const auto wrong = weight_quantizer_by_name("lsq5");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("did you mean lsq"), std::string::npos) << wrong.error().message;
}

}  // namespace
}  // namespace tern::train
