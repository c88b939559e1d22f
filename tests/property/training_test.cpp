// What must hold of training whatever the numbers are: threads change no bit, microbatches only rounding, a quantiser
// that is not faded in nothing at all; every method learns, a batch can be learned by heart, and what is no number is
// not hidden. Gradients have a file of their own (training_gradients_test.cpp).
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/tiny_training.hpp"
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

constexpr std::int64_t kTokens = 12;
constexpr std::int64_t kBatch = 5;

/// Masters, gradients and moments of all parameters, one after the other.
std::vector<float> everything(const Trainer& trainer) {
  std::vector<float> out;
  for (const auto& p : trainer.parameters().all()) {
    for (const Floats* floats : {&p->master, &p->gradient, &p->moment, &p->second_moment}) {
      out.insert(out.end(), floats->span().begin(), floats->span().end());
    }
  }
  return out;
}

TEST(Training, ThreadsChangeNoBit) {
  for (const QuantizerOptions& quantizer :
       {QuantizerOptions{}, QuantizerOptions{.weights = &kAbsmean, .activation_bits = 8},
        QuantizerOptions{.weights = &kLsq4, .group = 64, .activation_bits = 4}}) {
    for (const char* architecture : {"qwen2", "gemma3", "bitnet-b1.58"}) {
      SCOPED_TRACE(std::string(architecture) + ", " +
                   std::string(quantizer.weights == nullptr ? "float" : quantizer.weights->name));
      std::vector<float> numbers;
      std::vector<double> reports;
      for (const int n_threads : {1, 2, 3}) {
        const auto trainer = test::tiny_trainer(test::training_plan(architecture, 128),
                                                test::training_options(kTokens, 3, quantizer, n_threads), 1);
        std::vector<double> now;
        for (std::uint64_t s = 0; s < 3; ++s) {
          const StepReport report = trainer->step(test::random_batch(kBatch, kTokens, s), 3e-3, 0.1, 1.0);
          now.insert(now.end(), {report.loss, report.gradient_norm, static_cast<double>(report.n_flips)});
        }
        if (n_threads == 1) {
          numbers = everything(*trainer);
          reports = now;
        } else {
          EXPECT_EQ(now, reports) << n_threads << " threads";
          EXPECT_TRUE(everything(*trainer) == numbers) << n_threads << " threads";
        }
      }
    }
  }
}

// Another library adds in another order; that is all it may change, and not from one number of threads to the next.
TEST(Training, OneDnnTrainsAsOpenBlasDoes) {
  if (const auto library = linalg::Blas::load(linalg::Matmul::onednn); !library) {
    GTEST_SKIP() << "SKIPPED: " << library.error().message;
  }
  const QuantizerOptions quantizer{.weights = &kAbsmean, .activation_bits = 8};
  const auto trained = [&](linalg::Matmul matmul, int n_threads) {
    auto trainer =
        test::tiny_trainer(test::training_plan("bitnet", 128), test::training_options(kTokens, 3, quantizer, n_threads),
                           1, 1.0, &test::all_but_a_head, matmul);
    for (std::uint64_t s = 0; s < 3; ++s) trainer->step(test::random_batch(kBatch, kTokens, s), 3e-3, 0.1, 1.0);
    return everything(*trainer);
  };
  const std::vector<float> one = trained(linalg::Matmul::onednn, 1);
  EXPECT_TRUE(trained(linalg::Matmul::onednn, 3) == one);
  const std::vector<float> other = trained(linalg::Matmul::openblas, 1);
  ASSERT_EQ(one.size(), other.size());
  double squares = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    squares += static_cast<double>(other[i]) * static_cast<double>(other[i]);
    difference += std::pow(static_cast<double>(one[i]) - static_cast<double>(other[i]), 2);
  }
  EXPECT_GT(difference, 0.0) << "the same products";
  EXPECT_LT(difference, 1e-6 * squares);
}

// Operands lose 16 bits, masters none: a step is a little off, learning is not.
TEST(Training, Bfloat16LearnsNearlyAsFloat32Does) {
  if (const auto library = linalg::Blas::load(linalg::Matmul::bfloat16); !library) {
    GTEST_SKIP() << "SKIPPED: " << library.error().message;
  }
  const QuantizerOptions quantizer{.weights = &kAbsmean, .activation_bits = 8};
  const auto batch = test::random_batch(kBatch, kTokens, 1);
  const auto losses = [&](linalg::Matmul matmul, int n_threads) {
    auto trainer =
        test::tiny_trainer(test::training_plan("bitnet", 128), test::training_options(kTokens, 3, quantizer, n_threads),
                           1, 1.0, &test::all_but_a_head, matmul);
    std::vector<double> out;
    for (int s = 0; s < 40; ++s) out.push_back(trainer->step(batch, 3e-3, 0.1, 1.0).loss);
    return out;
  };
  const std::vector<double> halves = losses(linalg::Matmul::bfloat16, 1);
  EXPECT_EQ(losses(linalg::Matmul::bfloat16, 3), halves);
  const std::vector<double> floats = losses(linalg::Matmul::float32, 1);
  EXPECT_NE(halves.front(), floats.front()) << "the same products";
  EXPECT_NEAR(halves.front(), floats.front(), 0.01 * floats.front());
  EXPECT_LT(floats.back(), 0.5 * floats.front());
  EXPECT_NEAR(halves.back(), floats.back(), 0.1 * floats.front());
}

TEST(Training, AQuantiserThatIsNotFadedInChangesNoBit) {
  const auto batch = test::random_batch(kBatch, kTokens, 3);
  for (const WeightQuantizer* method : kWeightQuantizers) {
    for (const std::int64_t group : {std::int64_t{0}, std::int64_t{64}}) {
      for (const int bits : {0, 8, 4}) {
        SCOPED_TRACE(std::string(method->name) + ", group " + std::to_string(group) + ", bits " + std::to_string(bits));
        const models::Plan plan = test::training_plan("llama", 128);
        const auto plain = test::tiny_trainer(plan, test::training_options(kTokens, 3), 2);
        const auto waiting = test::tiny_trainer(
            plan, test::training_options(kTokens, 3, {.weights = method, .group = group, .activation_bits = bits}), 2,
            0.0);
        for (int s = 0; s < 2; ++s) {
          const StepReport want = plain->step(batch, 3e-3, 0.1, 0.0);
          const StepReport got = waiting->step(batch, 3e-3, 0.1, 0.0);
          ASSERT_EQ(got.loss, want.loss);
          ASSERT_EQ(got.gradient_norm, want.gradient_norm);
        }
        for (const auto& p : plain->parameters().all()) {
          const Parameter& other = *waiting->parameters().find(p->name);
          ASSERT_TRUE(std::ranges::equal(p->master.span(), other.master.span())) << p->name;
          ASSERT_TRUE(std::ranges::equal(p->gradient.span(), other.gradient.span())) << p->name;
        }
        EXPECT_EQ(plain->network().losses(batch), waiting->network().losses(batch));
        EXPECT_EQ(plain->network().logits(batch), waiting->network().logits(batch));
        waiting->begin(1.0, false);
        EXPECT_NE(plain->network().losses(batch), waiting->network().losses(batch)) << "nothing is ever rounded";
      }
    }
  }
}

TEST(Training, MicrobatchesChangeNothingButRounding) {
  const auto batch = test::random_batch(kBatch, kTokens, 4);
  for (const QuantizerOptions& quantizer :
       {QuantizerOptions{}, QuantizerOptions{.weights = &kAbsmean, .activation_bits = 8}}) {
    const models::Plan plan = test::training_plan("qwen2");
    const auto whole = test::tiny_trainer(plan, test::training_options(kTokens, kBatch, quantizer), 3);
    const double loss = whole->gradients(batch);
    for (const std::int64_t micro : {1, 2, 3, 4, 7}) {
      SCOPED_TRACE(micro);
      const auto parts = test::tiny_trainer(plan, test::training_options(kTokens, micro, quantizer), 3);
      EXPECT_NEAR(parts->gradients(batch), loss, 1e-6 * loss);
      const std::vector<float> losses = whole->network().losses(batch);
      const std::vector<float> others = parts->network().losses(batch);
      ASSERT_EQ(others.size(), losses.size());
      for (std::size_t i = 0; i < losses.size(); ++i) ASSERT_NEAR(others[i], losses[i], 1e-5F) << i;
      for (const auto& p : whole->parameters().all()) {
        const auto other = parts->parameters().find(p->name)->gradient.span();
        float largest = 0.0F;
        for (const float g : p->gradient.span()) largest = std::max(largest, std::fabs(g));
        for (std::size_t i = 0; i < other.size(); ++i) {
          ASSERT_NEAR(other[i], p->gradient.data()[i], 3e-6F * largest) << p->name << " [" << i << "]";
        }
      }
    }
  }
}

TEST(Training, LossesAreThoseOfTheStepAndOfTheLogits) {
  const auto batch = test::random_batch(kBatch, kTokens, 5);
  const auto trainer =
      test::tiny_trainer(test::training_plan("gemma3"),
                         test::training_options(kTokens, 2, {.weights = &kAbsmean, .activation_bits = 8}), 4);
  const std::vector<float> losses = trainer->network().losses(batch);
  const std::vector<float> logits = trainer->network().logits(batch);
  ASSERT_EQ(losses.size(), static_cast<std::size_t>(kBatch * kTokens));
  ASSERT_EQ(logits.size(), losses.size() * static_cast<std::size_t>(test::kTrainingVocabulary));
  double sum = 0.0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const std::size_t sequence = i / static_cast<std::size_t>(kTokens);
    const auto next = static_cast<std::size_t>(batch[i + sequence + 1]);
    double total = 0.0;
    const float* row = &logits[i * static_cast<std::size_t>(test::kTrainingVocabulary)];
    for (std::int64_t v = 0; v < test::kTrainingVocabulary; ++v) total += std::exp(static_cast<double>(row[v]));
    const double want = std::log(total) - static_cast<double>(row[next]);
    ASSERT_NEAR(static_cast<double>(losses[i]), want, 2e-6 * (1.0 + want)) << i;
    sum += static_cast<double>(losses[i]);
  }
  EXPECT_EQ(trainer->gradients(batch), sum / static_cast<double>(losses.size()));
}

/// Mean loss of a batch after so many steps on it.
double loss_after(Trainer& trainer, const std::vector<std::int32_t>& batch, int n_steps, double rate) {
  for (int s = 0; s < n_steps; ++s) {
    const double share = 1.0 - 0.95 * static_cast<double>(s) / static_cast<double>(n_steps);
    const StepReport report = trainer.step(batch, rate * share, 0.0, 1.0);
    EXPECT_TRUE(std::isfinite(report.loss)) << "step " << s;
    EXPECT_TRUE(std::isfinite(report.gradient_norm)) << "step " << s;
  }
  return trainer.gradients(batch);
}

TEST(Training, EveryMethodLearns) {
  const auto batch = test::random_batch(kBatch, kTokens, 6);
  for (const WeightQuantizer* method : kWeightQuantizers) {
    for (const std::int64_t group : {0, 64, 128}) {
      for (const int bits : {0, 8, 4}) {
        for (const StraightThrough rule : {StraightThrough::identity, StraightThrough::clipped}) {
          SCOPED_TRACE(std::string(method->name) + ", group " + std::to_string(group) + ", bits " +
                       std::to_string(bits) + (rule == StraightThrough::clipped ? ", clipped" : ""));
          const auto trainer = test::tiny_trainer(
              test::training_plan("bitnet-b1.58", 128),
              test::training_options(
                  kTokens, kBatch,
                  {.weights = method, .group = group, .straight_through = rule, .activation_bits = bits}),
              5);
          const double before = trainer->gradients(batch);
          EXPECT_LT(loss_after(*trainer, batch, 6, 3e-3), before - 0.5);
        }
      }
    }
  }
}

struct Learned {
  const char* name;
  QuantizerOptions quantizer;
};

TEST(Training, ABatchIsLearnedByHeart) {
  const auto batch = test::random_batch(4, kTokens, 7);
  for (const Learned& learned : {Learned{"float", {}}, Learned{"ternary", {.weights = &kAbsmean, .activation_bits = 8}},
                                 Learned{"binary", {.weights = &kSign, .activation_bits = 8}},
                                 Learned{"lsq4", {.weights = &kLsq4, .activation_bits = 8}}}) {
    SCOPED_TRACE(learned.name);
    const auto trainer = test::tiny_trainer(test::training_plan("bitnet-b1.58"),
                                            test::training_options(kTokens, 4, learned.quantizer), 6);
    const double before = trainer->gradients(batch);
    EXPECT_GT(before, 3.0) << "it was not known before";
    const double after = loss_after(*trainer, batch, 300, 1e-2);
    EXPECT_LT(after, 0.001) << "nats a token; about 1e-5 was measured for each";
    RecordProperty(learned.name, std::to_string(after));
  }
}

TEST(Training, FadingInMovesFromTheFloatLossToTheRoundedOne) {
  const auto batch = test::random_batch(kBatch, kTokens, 8);
  const auto trainer =
      test::tiny_trainer(test::training_plan("llama"),
                         test::training_options(kTokens, kBatch, {.weights = &kAbsmean, .activation_bits = 8}), 7, 0.0);
  const double as_float = trainer->gradients(batch);
  trainer->begin(1.0, false);
  const double rounded = trainer->gradients(batch);
  trainer->begin(1e-5, false);
  EXPECT_NEAR(trainer->gradients(batch), as_float, 1e-3);
  EXPECT_NE(trainer->gradients(batch), as_float);
  trainer->begin(1.0 - 1e-5, false);
  EXPECT_NEAR(trainer->gradients(batch), rounded, 1e-3);
  EXPECT_NE(trainer->gradients(batch), rounded);
  EXPECT_GT(std::fabs(as_float - rounded), 0.1) << "the two ends are apart";
}

/// All methods, and none.
std::vector<QuantizerOptions> all_quantizers() {
  std::vector<QuantizerOptions> out{{}};
  for (const WeightQuantizer* method : kWeightQuantizers) {
    out.push_back({.weights = method});
    out.push_back({.weights = method, .group = 64, .activation_bits = 4});
    out.push_back({.weights = method, .activation_bits = 8});
  }
  return out;
}

/// A step of a model with `bad` among the masters of a tensor is seen to be no step.
void expect_seen(const QuantizerOptions& quantizer, const char* tensor, float bad) {
  const auto trainer =
      test::tiny_trainer(test::training_plan("bitnet-b1.58", 128), test::training_options(kTokens, 2, quantizer, 2), 8);
  trainer->parameters().find(tensor)->master.data()[5] = bad;
  trainer->begin(1.0, false);
  const StepReport report = trainer->step(test::random_batch(2, kTokens, 9), 1e-3, 0.1, 1.0);
  EXPECT_FALSE(std::isfinite(report.loss) && std::isfinite(report.gradient_norm))
      << (quantizer.weights == nullptr ? "none" : quantizer.weights->name) << ", group " << quantizer.group << ", bits "
      << quantizer.activation_bits << ": " << bad << " in " << tensor;
}

TEST(Training, AStepEndsWithTheWeightsOfTheNext) {
  const auto batch = test::random_batch(kBatch, kTokens, 10);
  for (const WeightQuantizer* method : kWeightQuantizers) {
    SCOPED_TRACE(method->name);
    const auto trainer = test::tiny_trainer(
        test::training_plan(), test::training_options(kTokens, kBatch, {.weights = method, .activation_bits = 8}), 11);
    for (const double next : {1.0, 0.5, 0.0}) {
      const std::vector<float> before = trainer->network().losses(batch);
      const StepReport report = trainer->step(batch, 1e-2, 0.1, next);
      EXPECT_EQ(static_cast<double>(trainer->weights().lambda()), next);
      std::int64_t n_flips = 0;
      for (const auto& weight : trainer->weights().all()) n_flips += weight->statistics().flips;
      EXPECT_EQ(report.n_flips, n_flips);
      EXPECT_GT(n_flips, 0);
      const std::vector<float> after = trainer->network().losses(batch);
      EXPECT_NE(after, before);
      trainer->begin(next, false);
      EXPECT_EQ(trainer->network().losses(batch), after) << "the weights are made of the masters and lambda alone";
    }
  }
}

TEST(Training, LearnedStepsAreTrained) {
  const auto batch = test::random_batch(kBatch, kTokens, 12);
  for (const WeightQuantizer* method : {&kLsq4, &kLsq8}) {
    const auto trainer =
        test::tiny_trainer(test::training_plan(), test::training_options(kTokens, kBatch, {.weights = method}), 13);
    int n_learned = 0;
    for (const auto& weight : trainer->weights().all()) {
      std::string name = weight->master().name;
      name.replace(name.rfind("weight"), 6, "step");
      const Parameter* step = trainer->parameters().find(name);
      ASSERT_NE(step, nullptr) << name;
      const float before = step->master.data()[0];
      trainer->step(batch, 1e-3, 0.1, 1.0);
      EXPECT_NE(step->gradient.data()[0], 0.0F) << name;
      EXPECT_NE(step->master.data()[0], before) << name;
      ++n_learned;
    }
    EXPECT_EQ(n_learned, 2 * 7) << "seven matrices a layer";
  }
}

// What is no number may not be hidden by a clamp or a comparison: the loss must say so, and nothing may hang.
TEST(Training, WhatIsNoNumberReachesTheLoss) {
  for (const QuantizerOptions& quantizer : all_quantizers()) {
    for (const char* tensor : {"blk.0.ffn_norm.weight", "token_embd.weight", "output_norm.weight"}) {
      for (const float bad : {std::nanf(""), INFINITY}) expect_seen(quantizer, tensor, bad);
    }
    for (const char* matrix : {"blk.0.attn_q.weight", "blk.1.ffn_down.weight"}) {
      expect_seen(quantizer, matrix, std::nanf(""));
    }
  }
}

TEST(Training, AnInfiniteMasterIsNotHiddenByItsRounding) {
  for (const QuantizerOptions& quantizer : all_quantizers()) {
    for (const float bad : {INFINITY, -INFINITY}) expect_seen(quantizer, "blk.0.attn_q.weight", bad);
  }
}

TEST(Training, ALossThatOverflowsIsNotFinite) {
  for (const QuantizerOptions& quantizer :
       {QuantizerOptions{}, QuantizerOptions{.weights = &kAbsmean, .activation_bits = 8}}) {
    const auto trainer =
        test::tiny_trainer(test::training_plan("llama"), test::training_options(kTokens, 2, quantizer), 9);
    for (float& value : trainer->parameters().find("output_norm.weight")->master.span()) value = 3e38F;
    EXPECT_FALSE(std::isfinite(trainer->gradients(test::random_batch(2, kTokens, 9))));
  }
}

TEST(Training, PlansThatPoolAreRefused) {
  models::HyperParameters p = test::training_shape(models::kLlama);
  p.pooling = models::Pooling::mean;
  const auto blas = linalg::Blas::load();
  ASSERT_TRUE(blas) << blas.error().message;
  const auto made = Trainer::make(models::kLlama.plan(p), &test::all_but_a_head, test::training_options(kTokens, 2),
                                  *blas, *kernels::choose());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
}

TEST(Training, MemoryThatIsNotThereIsRefusedBeforeItIsTaken) {
  const auto blas = linalg::Blas::load();
  ASSERT_TRUE(blas) << blas.error().message;
  const auto made = Trainer::make(test::training_plan(), &test::all_but_a_head,
                                  test::training_options(1 << 20, 1 << 20), *blas, *kernels::choose());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::out_of_memory);
  EXPECT_NE(made.error().message.find("of memory are free"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace tern::train
