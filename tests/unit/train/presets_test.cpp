// The published recipes, by the numbers that were published.
#include "train/run/presets.hpp"

#include <gtest/gtest.h>

namespace tern::train {
namespace {

Recipe preset(const char* name) {
  auto recipe = preset_by_name(name);
  EXPECT_TRUE(recipe) << name;
  return recipe.value_or(Recipe{});
}

TEST(Presets, AreSoundAndDifferent) {
  for (const std::string_view name : preset_names()) {
    const Recipe recipe = preset(std::string(name).c_str());
    EXPECT_TRUE(check(recipe)) << name;
    for (const std::string_view other : preset_names()) {
      EXPECT_EQ(recipe == preset(std::string(other).c_str()), name == other) << name << ", " << other;
    }
  }
}

// arXiv 2402.17764, training tips: 1.5e-3 -> 1e-3, weight decay 0.1 -> 0, Adam (0.9, 0.95).
TEST(Presets, BitNetB158FallsByAThirdAtHalfWayAndDropsWeightDecay) {
  for (const char* name : {"bitnet-b1.58", "grouped", "trilm"}) {
    const Recipe recipe = preset(name);
    EXPECT_EQ(recipe.weights, "absmean") << name;
    EXPECT_EQ(recipe.beta1, 0.9);
    EXPECT_EQ(recipe.beta2, 0.95);
    const auto schedule = schedule_of(recipe, 1000);
    ASSERT_TRUE(schedule) << name;
    const double before = schedule->learning_rate(499);
    const double after = schedule->learning_rate(500);
    EXPECT_NEAR(after / before, 1.0 / 1.5, 2e-3) << name;
    EXPECT_NEAR(before / schedule->peak, 0.5, 2e-3);
    EXPECT_LT(schedule->learning_rate(999), 0.01 * schedule->peak);
  }
  const auto b158 = schedule_of(preset("bitnet-b1.58"), 1000);
  ASSERT_TRUE(b158);
  EXPECT_EQ(b158->weight_decay_at(500), 0.1);
  EXPECT_EQ(b158->weight_decay_at(501), 0.0);
  EXPECT_EQ(preset("bitnet-b1.58").activations, "int8");
  const auto trilm = schedule_of(preset("trilm"), 900);
  ASSERT_TRUE(trilm);
  EXPECT_EQ(trilm->weight_decay_at(600), 0.1);
  EXPECT_EQ(trilm->weight_decay_at(601), 0.0);
  EXPECT_EQ(preset("trilm").activations, "none");
}

// arXiv 2310.11453, appendix: Adam (0.9, 0.98), weight decay 0.01, polynomial decay.
TEST(Presets, BitNetIsBinaryWithANormInEveryProjection) {
  const Recipe recipe = preset("bitnet");
  EXPECT_EQ(recipe.weights, "sign");
  EXPECT_EQ(recipe.activations, "int8");
  EXPECT_EQ(recipe.beta2, 0.98);
  EXPECT_EQ(recipe.weight_decay, 0.01);
  EXPECT_TRUE(recipe.norm_per_projection);
  EXPECT_EQ(recipe.schedule, "linear");
  EXPECT_EQ(recipe.last, 0.0);
}

TEST(Presets, LlamaFallsAlongACosineToATwentieth) {
  const Recipe recipe = preset("llama");
  EXPECT_EQ(recipe.weights, "none");
  EXPECT_EQ(recipe.activations, "none");
  const auto schedule = schedule_of(recipe, 1000);
  ASSERT_TRUE(schedule);
  EXPECT_NEAR(schedule->learning_rate(999) / schedule->peak, 0.05, 1e-5);
  EXPECT_EQ(recipe.clip, 1.0);
}

TEST(Presets, GroupedBeginsInFloat) {
  const Recipe recipe = preset("grouped");
  EXPECT_EQ(recipe.group, 64);
  const auto schedule = schedule_of(recipe, 1000);
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->lambda(99), 0.0);
  EXPECT_EQ(schedule->lambda(100), 1.0);
}

TEST(Presets, AnUnknownOneIsRefusedWithTheNearest) {
  const auto refused = preset_by_name("bitnett");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("did you mean bitnet?"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace tern::train
