// The gradients of training, for every architecture there is, against central differences in double precision: of the
// float model, and of the surrogate graph of a quantised one, which is what the straight-through rule differentiates
// (tests/support/plan_in_double.hpp). Shapes are tiny; windows, biases, norms per projection, soft caps and a head of
// its own take part.
#include <gtest/gtest.h>

#include <cmath>

#include "models/plan_builder.hpp"
#include "tests/support/plan_in_double.hpp"
#include "tests/support/rounding_in_double.hpp"
#include "tests/support/tiny_training.hpp"
#include "train/quantizers/quantizers.hpp"

namespace tern::train {
namespace {

using test::PlanInDouble;
using test::Sequences;

constexpr std::int64_t kTokens = 6;
constexpr std::int64_t kSequences = 2;

struct Shape {
  std::string name;
  models::HyperParameters parameters;
  const models::Architecture* architecture = nullptr;
  bool own_head = false;
};

/// Each architecture as it is, and with everything that its plan may have besides.
std::vector<Shape> shapes() {
  std::vector<Shape> out;
  for (const models::Architecture* architecture : models::all()) {
    Shape plain{std::string(architecture->summary), test::training_shape(*architecture), architecture};
    Shape rich = plain;
    rich.name += " with everything";
    rich.own_head = true;
    models::HyperParameters& p = rich.parameters;
    p.window = 3;
    p.windowed = {1, 0};
    p.rope_base_windowed = 500.0F;
    p.input_norms = true;
    p.attention_soft_cap = 2.0F;
    p.final_soft_cap = 3.0F;
    p.n_rotary = 6;
    p.rope_scaling = {.kind = models::RopeScaling::Kind::yarn, .factor = 2.0F, .original_context = 4};
    p.activation = p.activation == models::Unary::gelu_tanh ? models::Unary::silu : models::Unary::gelu_tanh;
    out.push_back(std::move(plain));
    out.push_back(std::move(rich));
  }
  return out;
}

/// Every tensor's gradient at a few places, the largest among them, against the loss of `reference` in double.
void expect_gradients(const Trainer& trainer, const PlanInDouble& reference, const Sequences& sequences) {
  const test::Parameters here = test::in_double(trainer.parameters());
  Random random(11);
  for (const auto& p : trainer.parameters().all()) {
    if (p->name.ends_with(".step")) continue;
    const auto gradient = p->gradient.span();
    const auto order = [](float a, float b) { return std::fabs(a) < std::fabs(b); };
    const auto most = std::ranges::max_element(gradient, order);
    const double largest = std::fabs(static_cast<double>(*most));
    std::vector<std::size_t> places{static_cast<std::size_t>(most - gradient.begin())};
    for (int i = 0; i < 3; ++i) places.push_back(static_cast<std::size_t>(random.below(gradient.size())));
    EXPECT_GT(largest, 1e-7) << p->name << " has no part in the loss";
    for (const std::size_t i : places) {
      const double want = reference.central_difference(here, sequences, p->name, i, 1e-4);
      EXPECT_NEAR(static_cast<double>(gradient[i]), want, 2e-5 * largest) << p->name << " [" << i << "]";
    }
  }
}

TEST(TrainingGradients, OfFloatModelsAreThoseOfTheLoss) {
  for (const Shape& shape : shapes()) {
    SCOPED_TRACE(shape.name);
    const auto trainer =
        test::tiny_trainer(shape.architecture->plan(shape.parameters), test::training_options(kTokens, kSequences), 1,
                           1.0, shape.own_head ? &test::all_that_is_trained : &test::all_but_a_head);
    const auto batch = test::random_batch(kSequences, kTokens, 2);
    const Sequences sequences = test::sequences_of(batch, kTokens);
    const PlanInDouble reference(trainer->plan());
    const double want = reference.mean_cross_entropy(test::in_double(trainer->parameters()), sequences);
    EXPECT_NEAR(trainer->gradients(batch), want, 2e-6 * want);
    expect_gradients(*trainer, reference, sequences);
  }
}

/// The first seed from which no number comes near a tie, where float32 and float64 could round apart.
std::unique_ptr<Trainer> trainer_without_ties(const models::Plan& plan, const TrainerOptions& options,
                                              const test::Rounding& rounding, bool own_head,
                                              const Sequences& sequences) {
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    auto trainer = test::tiny_trainer(plan, options, seed, rounding.lambda,
                                      own_head ? &test::all_that_is_trained : &test::all_but_a_head);
    double nearest = 1.0;
    const PlanInDouble rounded(plan, test::rounding_hooks(plan, rounding, &nearest));
    (void)rounded.mean_cross_entropy(test::in_double(trainer->parameters()), sequences);
    if (nearest > 1e-4) return trainer;
  }
  ADD_FAILURE() << "no seed without ties";
  return nullptr;
}

void expect_straight_through(const models::Plan& plan, const test::Rounding& rounding, bool own_head) {
  TrainerOptions options = test::training_options(kTokens, kSequences);
  const auto quantizer = weight_quantizer_by_name(rounding.method);
  ASSERT_TRUE(quantizer);
  options.quantizer = {
      .weights = *quantizer, .group = static_cast<std::int64_t>(rounding.group), .activation_bits = rounding.bits};
  const auto batch = test::random_batch(kSequences, kTokens, 2);
  const Sequences sequences = test::sequences_of(batch, kTokens);
  const auto trainer = trainer_without_ties(plan, options, rounding, own_head, sequences);
  ASSERT_NE(trainer, nullptr);
  const test::Parameters here = test::in_double(trainer->parameters());
  const PlanInDouble rounded(plan, test::rounding_hooks(plan, rounding));
  const double want = rounded.mean_cross_entropy(here, sequences);
  EXPECT_NEAR(trainer->gradients(batch), want, 2e-6 * want);
  EXPECT_GT(std::fabs(PlanInDouble(plan).mean_cross_entropy(here, sequences) - want), 1e-4) << "nothing was rounded";
  expect_gradients(*trainer, rounded.freeze(here, sequences), sequences);
}

TEST(TrainingGradients, OfTernaryModelsAreThoseOfTheirSurrogate) {
  for (const Shape& shape : shapes()) {
    SCOPED_TRACE(shape.name);
    expect_straight_through(shape.architecture->plan(shape.parameters), {}, shape.own_head);
  }
}

TEST(TrainingGradients, OfEveryGranularityAndFadingAreThoseOfTheirSurrogate) {
  models::HyperParameters p = test::training_shape(models::kBitNetB158, 128);
  p.n_layers = 1;
  const models::Plan plan = models::kBitNetB158.plan(p);
  for (const test::Rounding& rounding : std::vector<test::Rounding>{{.method = "sign"},
                                                                    {.bits = 4},
                                                                    {.bits = 0},
                                                                    {.group = 64},
                                                                    {.method = "sign", .group = 128, .bits = 4},
                                                                    {.lambda = 0.5},
                                                                    {.group = 64, .bits = 4, .lambda = 0.3},
                                                                    {.bits = 0, .lambda = 0.7}}) {
    SCOPED_TRACE(rounding.method + ", group " + std::to_string(rounding.group) + ", " + std::to_string(rounding.bits) +
                 " bits, lambda " + std::to_string(rounding.lambda));
    expect_straight_through(plan, rounding, false);
  }
}

// The identity rule, seen from the other side: the float model whose matrices are Q(w) has the same gradients there.
TEST(TrainingGradients, OfQuantisedMatricesAreThoseOfAFloatModelWithTheRoundedMatrices) {
  for (const std::int64_t group : {std::int64_t{0}, std::int64_t{64}}) {
    for (const WeightQuantizer* method : kWeightQuantizers) {
      if (method->learned_scale) continue;
      SCOPED_TRACE(method->name);
      const TrainerOptions options = test::training_options(kTokens, kSequences, {.weights = method, .group = group});
      const models::Plan plan = test::training_plan("qwen3", 128);
      const auto quantised = test::tiny_trainer(plan, options, 5);
      const auto rounded = test::tiny_trainer(plan, test::training_options(kTokens, kSequences), 5);
      for (const auto& weight : quantised->weights().all()) {
        Parameter& master = *rounded->parameters().find(weight->master().name);
        for (std::int64_t i = 0; i < master.master.size(); ++i) {
          master.master.data()[i] = weight->values()[i] * weight->scale();
        }
      }
      rounded->begin(1.0, false);
      const auto batch = test::random_batch(kSequences, kTokens, 6);
      const double loss = quantised->gradients(batch);
      EXPECT_NEAR(rounded->gradients(batch), loss, 1e-6 * loss);
      for (const auto& p : quantised->parameters().all()) {
        const auto other = rounded->parameters().find(p->name)->gradient.span();
        float largest = 0.0F;
        for (const float g : other) largest = std::max(largest, std::fabs(g));
        for (std::size_t i = 0; i < other.size(); ++i) {
          ASSERT_NEAR(p->gradient.data()[i], other[i], 1e-5F * largest) << p->name << " [" << i << "]";
        }
      }
    }
  }
}

// What no architecture of the list has: layer norms with a bias, a function without a gate, a factor, and a sum of a
// value with itself.
TEST(TrainingGradients, OfStepsThatNoArchitectureHasAreThoseOfTheLoss) {
  using models::TensorRole;
  models::PlanBuilder b;
  const auto table = b.tensor("table", matrix_shape(24, test::kTrainingVocabulary), TensorRole::embedding);
  const auto x = b.embed("x", table, 2.0F);
  const auto normed = b.norm("normed", {.in = x,
                                        .out = models::kNone,
                                        .weight = b.tensor("gain", vector_shape(8), TensorRole::norm),
                                        .bias = b.tensor("shift", vector_shape(8), TensorRole::bias),
                                        .kind = models::NormStep::Kind::layer,
                                        .eps = 1e-3F,
                                        .group_width = 8});
  const auto wide = b.linear("wide", normed, b.tensor("up.weight", matrix_shape(24, 40), TensorRole::linear), {},
                             b.tensor("up.bias", vector_shape(40), TensorRole::bias));
  const auto bent = b.unary("bent", wide, models::Unary::gelu_tanh);
  const auto narrow = b.linear("narrow", bent, b.tensor("down.weight", matrix_shape(40, 24), TensorRole::linear), {});
  const auto doubled = b.add("doubled", narrow, narrow);
  const auto scaled = b.scale("scaled", x, 0.7F);
  const auto sum = b.add("sum", scaled, doubled);
  const auto again = b.add("again", sum, scaled);  // read after the sum that could have shared its gradient
  const auto twice = b.add("twice", again, again);
  b.head("logits", b.scale("less", twice, 0.3F), table);
  const auto trainer = test::tiny_trainer(b.take(), test::training_options(kTokens, kSequences), 12);
  const auto batch = test::random_batch(kSequences, kTokens, 13);
  const Sequences sequences = test::sequences_of(batch, kTokens);
  const PlanInDouble reference(trainer->plan());
  const double want = reference.mean_cross_entropy(test::in_double(trainer->parameters()), sequences);
  EXPECT_NEAR(trainer->gradients(batch), want, 2e-6 * want);
  expect_gradients(*trainer, reference, sequences);
}

// Attention works in tiles of queries: sequences longer than a few tiles, whole and in windows that end within one.
TEST(TrainingGradients, OfLongSequencesAreThoseOfTheLoss) {
  constexpr std::int64_t kLong = 150;
  for (const std::int64_t window : {std::int64_t{0}, std::int64_t{40}, std::int64_t{100}}) {
    SCOPED_TRACE("window " + std::to_string(window));
    models::HyperParameters p = test::training_shape(models::kLlama);
    p.n_layers = 1;
    p.window = window;
    p.attention_soft_cap = 4.0F;
    p.final_soft_cap = 5.0F;
    const auto trainer = test::tiny_trainer(models::kLlama.plan(p), test::training_options(kLong, 1), 7);
    const auto batch = test::random_batch(1, kLong, 8);
    const Sequences sequences = test::sequences_of(batch, kLong);
    const PlanInDouble reference(trainer->plan());
    const double want = reference.mean_cross_entropy(test::in_double(trainer->parameters()), sequences);
    EXPECT_NEAR(trainer->gradients(batch), want, 2e-6 * want);
    expect_gradients(*trainer, reference, sequences);
  }
}

// The head holds the logits of a block of tokens at once: more tokens than a block, more rows than a piece of the
// table.
TEST(TrainingGradients, OfHeadsThatTakeSeveralBlocksAreThoseOfTheLoss) {
  constexpr std::int64_t kVocabulary = 8192;
  constexpr std::int64_t kMany = 1100;
  models::PlanBuilder b;
  const auto table = b.tensor("table", matrix_shape(4, kVocabulary), models::TensorRole::embedding);
  b.head("logits", b.embed("x", table), table, 2.0F);
  const auto trainer = test::tiny_trainer(b.take(), test::training_options(kMany, 1, {}, 2), 14);
  std::vector<std::int32_t> batch = test::random_batch(1, kMany, 15);
  for (std::size_t t = 0; t < batch.size(); ++t) batch[t] = static_cast<std::int32_t>(t * 7919 % kVocabulary);
  const Sequences sequences = test::sequences_of(batch, kMany);
  const PlanInDouble reference(trainer->plan());
  const double want = reference.mean_cross_entropy(test::in_double(trainer->parameters()), sequences);
  EXPECT_NEAR(trainer->gradients(batch), want, 2e-6 * want);
  expect_gradients(*trainer, reference, sequences);
}

// Divisors of the rotary frequencies, which a checkpoint of a stretched model brings: read, used and not trained.
TEST(TrainingGradients, FactorsOfRotaryFrequenciesAreUsed) {
  const auto with_factors = [](const models::TensorSpec& spec) {
    return test::all_but_a_head(spec) || spec.role == models::TensorRole::rope_factors;
  };
  const auto trainer = test::tiny_trainer(test::training_plan("llama"), test::training_options(kTokens, kSequences), 9,
                                          1.0, with_factors);
  Parameter* factors = trainer->parameters().find("rope_freqs.weight");
  ASSERT_NE(factors, nullptr);
  for (std::int64_t i = 0; i < factors->master.size(); ++i) factors->master.data()[i] = 1.0F + static_cast<float>(i);
  trainer->begin(1.0, false);
  const auto batch = test::random_batch(kSequences, kTokens, 10);
  const PlanInDouble reference(trainer->plan());
  const double want =
      reference.mean_cross_entropy(test::in_double(trainer->parameters()), test::sequences_of(batch, kTokens));
  EXPECT_NEAR(trainer->gradients(batch), want, 2e-6 * want);
  const std::vector<float> before(factors->master.span().begin(), factors->master.span().end());
  trainer->step(batch, 0.01, 0.1, 1.0);
  EXPECT_TRUE(std::ranges::equal(factors->master.span(), before));
}

}  // namespace
}  // namespace tern::train
