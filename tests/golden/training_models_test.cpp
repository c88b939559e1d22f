// The trainer against an independent autograd: whole tiny models, float, ternary, binary and with learned steps. Loss
// and gradients of every tensor of the first step, then ten steps of AdamW, in float32 on both sides
// (golden/make/make_training.py).
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.hpp"
#include "tests/support/training_vectors.hpp"
#include "train/quantizers/quantizers.hpp"
#include "train/trainer.hpp"

namespace tern::train {
namespace {

constexpr std::int64_t kTokens = 12;

std::unique_ptr<Trainer> trainer_for(const test::TrainingVectors& golden, int n_threads, std::int64_t micro) {
  TrainerOptions options;
  const auto quantizer = weight_quantizer_by_name(golden.text("method"));
  EXPECT_TRUE(quantizer) << golden.text("method");
  options.quantizer.weights = *quantizer;
  options.quantizer.activation_bits = static_cast<int>(golden.integer("activation_bits"));
  options.size = {kTokens, micro};
  options.n_threads = n_threads;
  const auto blas = linalg::Blas::load();
  EXPECT_TRUE(blas) << blas.error().message;
  const auto kernels = kernels::choose();
  auto trainer = Trainer::make(golden.plan(), usual_tensors(true), options, *blas, *kernels);
  EXPECT_TRUE(trainer) << trainer.error().message;
  for (const std::string& name : golden.names_after("initial.")) {
    Parameter* parameter = (*trainer)->parameters().find(name);
    if (parameter == nullptr) {
      ADD_FAILURE() << "no parameter " << name;
      continue;
    }
    std::ranges::copy(golden.floats("initial." + name), parameter->master.data());
  }
  (*trainer)->begin(1.0, false);
  return std::move(*trainer);
}

/// Largest difference, as a share of the largest magnitude.
double distance(std::span<const float> got, std::span<const float> expected) {
  EXPECT_EQ(got.size(), expected.size());
  double worst = 0.0;
  double largest = 1e-30;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::fabs(static_cast<double>(got[i]) - static_cast<double>(expected[i])));
    largest = std::max(largest, std::fabs(static_cast<double>(expected[i])));
  }
  return worst / largest;
}

class TrainingModels : public testing::TestWithParam<const char*> {};

TEST_P(TrainingModels, GradientsOfAllTensorsEqualAutograd) {
  const test::TrainingVectors golden(GetParam());
  const auto trainer = trainer_for(golden, 1, 4);
  const std::vector<std::int32_t> tokens = golden.tokens("tokens");
  const double loss = trainer->gradients(std::span(tokens).first(4 * (kTokens + 1)));
  EXPECT_NEAR(loss, static_cast<double>(golden.floats("loss")[0]), 2e-6);
  for (const auto& parameter : trainer->parameters().all()) {
    EXPECT_LT(distance(parameter->gradient.span(), golden.floats("gradient." + parameter->name)), 2e-5)
        << parameter->name;
  }
  const double norm = trainer->optimizer().gradient_norm();
  EXPECT_NEAR(norm, static_cast<double>(golden.floats("grad_norm")[0]), 1e-5 * norm);
}

TEST_P(TrainingModels, TenStepsOfAdamWEqualAutograd) {
  const test::TrainingVectors golden(GetParam());
  ASSERT_EQ(golden.text("first_step_within_1e-5"), "none");
  const auto trainer = trainer_for(golden, 2, 3);
  const std::vector<std::int32_t> tokens = golden.tokens("tokens");
  const std::vector<float> rates = golden.floats("lr");
  const std::vector<float> losses = golden.floats("loss");
  constexpr std::size_t kBatch = 4 * (kTokens + 1);
  for (std::size_t s = 0; s < 10; ++s) {
    const StepReport report = trainer->step(std::span(tokens).subspan(s * kBatch, kBatch),
                                            static_cast<double>(rates[s]), golden.number("weight_decay"), 1.0);
    EXPECT_NEAR(report.loss, static_cast<double>(losses[s]), 2e-5) << "step " << s;
  }
  for (const auto& parameter : trainer->parameters().all()) {
    EXPECT_LT(distance(parameter->master.span(), golden.floats("final." + parameter->name)), 1e-4) << parameter->name;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, TrainingModels,
                         testing::Values("llama_float", "bitnet_ternary", "bitnet_binary", "llama_lsq4"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace tern::train
