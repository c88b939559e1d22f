// Every step kind of the trainer, forward and backward, against torch's autograd (golden/make/make_training.py says
// what the vectors are): outputs, gradients of inputs, both where a step begins them and where it adds to them, and
// gradients of parameters.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "models/plan_builder.hpp"
#include "tests/support/one_train_step.hpp"
#include "tests/support/training_vectors.hpp"

namespace tern::train {
namespace {

using models::TensorId;
using models::TensorRole;
using models::ValueId;
using test::OneTrainStep;

constexpr double kNear = 2e-6;       // of the largest magnitude: what float32 leaves of float64
constexpr float kBefore = 0.25F;     // what a step finds in the gradient of an input
constexpr float kInGradient = 0.5F;  // and of a parameter: gradients are added to it

void expect_near(const std::vector<float>& got, const std::vector<float>& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double largest = 0.0;
  for (const float value : want) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i]), kNear * largest) << what << " [" << i << "]";
  }
}

using Shares = std::array<float, OneTrainStep::kSequences>;

/// factor * values + shift
std::vector<float> moved(std::vector<float> values, float factor, float shift) {
  for (float& value : values) value = value * factor + shift;
  return values;
}

/// A case of the vectors as a plan: its inputs are values, and the last step is the one that is tested.
class Case {
 public:
  explicit Case(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] double number(const std::string& key) const { return vectors_.number(name_ + "." + key); }
  [[nodiscard]] std::int64_t integer(const std::string& key) const { return vectors_.integer(name_ + "." + key); }
  [[nodiscard]] std::string text(const std::string& key) const { return vectors_.text(name_ + "." + key); }
  [[nodiscard]] std::vector<float> floats(const std::string& tensor) const {
    return vectors_.floats(name_ + "." + tensor);
  }
  [[nodiscard]] std::vector<std::int32_t> tokens(const std::string& tensor) const {
    return vectors_.tokens(name_ + "." + tensor);
  }

  ValueId input(const std::string& tensor) {
    const auto width = static_cast<std::int64_t>(vectors_.row_length(name_ + "." + tensor));
    n_tokens_ = std::ssize(floats(tensor)) / width;
    const ValueId id =
        builder.embed(tensor, builder.tensor("no table of " + tensor, matrix_shape(width, 1), TensorRole::embedding));
    inputs_.emplace_back(tensor, id);
    return id;
  }
  TensorId vector(const std::string& tensor) {
    if (!vectors_.has(name_ + "." + tensor)) return models::kNone;
    parameters_.push_back(tensor);
    return builder.tensor(tensor, vector_shape(std::ssize(floats(tensor))), TensorRole::norm);
  }
  TensorId matrix(const std::string& tensor, TensorRole role = TensorRole::linear) {
    parameters_.push_back(tensor);
    const auto width = static_cast<std::int64_t>(vectors_.row_length(name_ + "." + tensor));
    return builder.tensor(tensor, matrix_shape(width, std::ssize(floats(tensor)) / width), role);
  }

  /// The step by itself, its parameters and inputs set.
  [[nodiscard]] std::unique_ptr<OneTrainStep> step(const models::Plan& plan, bool accumulates,
                                                   std::int64_t n_tokens) const {
    auto one = std::make_unique<OneTrainStep>(plan, n_tokens, accumulates);
    for (const std::string& name : parameters_) {
      Parameter* parameter = one->parameters().find(name);
      std::ranges::copy(floats(name), parameter->master.data());
      std::ranges::fill(parameter->gradient.span(), kInGradient);
    }
    one->make();
    for (const auto& [name, id] : inputs_) one->set_value(id, floats(name));
    return one;
  }

  /// Gradients of inputs and of parameters; the latter gained those of both sequences.
  void expect_gradients(OneTrainStep& one, bool accumulates, const Shares& shares = OneTrainStep::kShares) const {
    for (const auto& [name, id] : inputs_) {
      for (std::int64_t s = 0; s < OneTrainStep::kSequences; ++s) {
        const float share = shares[static_cast<std::size_t>(s)];
        const float before = accumulates ? kBefore * share : 0.0F;
        expect_near(one.gradient_of(id, s), moved(floats("d_" + name), share, before),
                    name_ + ".d_" + name + (accumulates ? ", added" : ", begun"));
      }
    }
    for (const std::string& name : parameters_) {
      const bool trained = vectors_.has(name_ + ".d_" + name);
      const auto gradient = one.parameters().find(name)->gradient.span();
      expect_near({gradient.begin(), gradient.end()},
                  moved(floats(trained ? "d_" + name : name), trained ? shares[0] + shares[1] : 0.0F, kInGradient),
                  name_ + ".d_" + name);
    }
  }

  void expect_torchs(ValueId out) {
    const models::Plan plan = builder.take();
    for (const bool accumulates : {false, true}) {
      const auto one = step(plan, accumulates, n_tokens_);
      one->forward();
      for (std::int64_t s = 0; s < OneTrainStep::kSequences; ++s) {
        expect_near(one->value_of(out, s), floats("out"), name_ + ".out");
      }
      one->set_gradient(out, floats("d_out"));
      for (const auto& [name, id] : inputs_) {
        if (accumulates) one->set_gradient(id, std::vector<float>(floats(name).size(), kBefore));
      }
      one->backward();
      expect_gradients(*one, accumulates);
    }
  }

  models::PlanBuilder builder;

 private:
  std::string name_;
  test::TrainingVectors vectors_{"steps"};
  std::vector<std::pair<std::string, ValueId>> inputs_;
  std::vector<std::string> parameters_;
  std::int64_t n_tokens_ = 0;
};

TEST(TrainingSteps, NormsEqualAutograd) {
  for (const char* name : {"rms_norm", "rms_norm_heads", "layer_norm"}) {
    Case c(name);
    const bool layer = std::string_view(name) == "layer_norm";
    const ValueId in = c.input("in");
    c.expect_torchs(c.builder.norm("y", {.in = in,
                                         .out = models::kNone,
                                         .weight = c.vector("weight"),
                                         .bias = c.vector("bias"),
                                         .kind = layer ? models::NormStep::Kind::layer : models::NormStep::Kind::rms,
                                         .eps = static_cast<float>(c.number("eps")),
                                         .group_width = c.integer("group_width")}));
  }
}

// "linear_scaled" is no case here: an output scale is how some files of packed models are stored; it is optional, and
// no model in training has one.
TEST(TrainingSteps, LinearsEqualAutograd) {
  for (const char* name : {"linear", "linear_bias"}) {
    Case c(name);
    const ValueId in = c.input("in");
    const TensorId weight = c.matrix("weight");
    c.expect_torchs(c.builder.linear("y", in, weight, {}, c.vector("bias")));
  }
}

TEST(TrainingSteps, RotationsEqualAutograd) {
  for (const char* name :
       {"rope_adjacent", "rope_half_split", "rope_adjacent_partial", "rope_half_split_partial", "rope_factors"}) {
    Case c(name);
    const bool adjacent = c.text("pairing") == "adjacent";
    const ValueId in = c.input("in");
    c.expect_torchs(c.builder.rope(
        "y", {.in = in,
              .out = models::kNone,
              .n_heads = c.integer("n_heads"),
              .head_dim = c.integer("head_dim"),
              .n_rotary = c.integer("n_rotary"),
              .pairing = adjacent ? models::RopeStep::Pairing::adjacent : models::RopeStep::Pairing::half_split,
              .base = static_cast<float>(c.number("base")),
              .scaling = {},
              .factors = c.vector("factors")}));
  }
}

TEST(TrainingSteps, AttentionEqualsAutograd) {
  for (const char* name :
       {"attention", "attention_window", "attention_soft_cap", "attention_window_soft_cap", "attention_all"}) {
    Case c(name);
    const ValueId query = c.input("query");
    const ValueId key = c.input("key");
    const ValueId value = c.input("value");
    c.expect_torchs(c.builder.attention("y", {.query = query,
                                              .key = key,
                                              .value = value,
                                              .out = models::kNone,
                                              .kv_layer = 0,
                                              .n_heads = c.integer("n_heads"),
                                              .n_kv_heads = c.integer("n_kv_heads"),
                                              .head_dim = c.integer("head_dim"),
                                              .scale = static_cast<float>(c.number("scale")),
                                              .window = c.integer("window"),
                                              .causal = c.integer("causal") != 0,
                                              .soft_cap = static_cast<float>(c.number("soft_cap"))}));
  }
}

TEST(TrainingSteps, ActivationsAndGatesEqualAutograd) {
  for (const auto& [name, function] : {std::pair{"silu", models::Unary::silu},
                                       {"relu2", models::Unary::relu2},
                                       {"gelu_tanh", models::Unary::gelu_tanh}}) {
    Case unary(std::string("unary_") + name);
    unary.expect_torchs(unary.builder.unary("y", unary.input("in"), function));
    Case glu(std::string("glu_") + name);
    const ValueId gate = glu.input("gate");
    glu.expect_torchs(glu.builder.glu("y", gate, glu.input("up"), function));
  }
}

TEST(TrainingSteps, SumsAndFactorsEqualAutograd) {
  Case add("add");
  const ValueId a = add.input("a");
  add.expect_torchs(add.builder.add("y", a, add.input("b")));
  Case scale("scale");
  scale.expect_torchs(scale.builder.scale("y", scale.input("in"), static_cast<float>(scale.number("factor"))));
}

TEST(TrainingSteps, EmbeddingEqualsAutograd) {
  Case c("embedding");
  const TensorId table = c.matrix("table", TensorRole::embedding);
  const ValueId out = c.builder.embed("y", table, static_cast<float>(c.number("factor")));
  const std::vector<std::int32_t> tokens = c.tokens("tokens");
  const auto one = c.step(c.builder.take(), false, std::ssize(tokens));
  one->set_tokens(tokens, 0);
  one->forward();
  for (std::int64_t s = 0; s < OneTrainStep::kSequences; ++s) {
    expect_near(one->value_of(out, s), c.floats("out"), "embedding.out");
  }
  one->set_gradient(out, c.floats("d_out"));
  one->backward();
  c.expect_gradients(*one, false);
}

TEST(TrainingSteps, HeadAndLossEqualAutograd) {
  for (const char* name : {"head", "head_soft_cap"}) {
    SCOPED_TRACE(name);
    Case c(name);
    const ValueId in = c.input("in");
    const TensorId weight = c.matrix("weight", TensorRole::head);
    const auto soft_cap = static_cast<float>(c.number("soft_cap"));
    c.builder.head("logits", in, weight, soft_cap);
    const models::Plan plan = c.builder.take();
    std::vector<std::int32_t> targets = c.tokens("targets");
    const auto n_tokens = std::ssize(targets);
    const auto one = c.step(plan, false, n_tokens);
    const std::int32_t last = targets.back();
    targets.insert(targets.begin(), 0);  // the first token is only read
    targets.pop_back();
    one->set_tokens(targets, last);
    const auto n = static_cast<std::size_t>(one->all_tokens());

    std::vector<float> logits(n * static_cast<std::size_t>(one->head().n_vocab()));
    one->head().logits(one->batch(), one->pool(), logits.data());
    const std::vector<float> want = c.floats("out");
    expect_near({logits.begin(), logits.begin() + std::ssize(want)}, want, "logits");
    expect_near({logits.begin() + std::ssize(want), logits.end()}, want, "logits of the second sequence");

    std::vector<float> losses(n);
    one->head().forward_backward(one->batch(), 1.0F / static_cast<float>(n_tokens), one->pool(), losses.data());
    double mean = 0.0;
    for (const float loss : losses) mean += static_cast<double>(loss) / static_cast<double>(n);
    EXPECT_NEAR(mean, static_cast<double>(c.floats("loss")[0]), 1e-6);
    c.expect_gradients(*one, false, {1.0F, 1.0F});

    std::vector<float> again(n);
    one->head().forward(one->batch(), one->pool(), again.data());
    EXPECT_EQ(again, losses) << "the way back changes no loss";
  }
}

// Every case of the file has a test above, or stands here with the reason.
TEST(TrainingSteps, EveryCaseOfTheVectorsIsTested) {
  const std::set<std::string> tested{
      "rms_norm",
      "rms_norm_heads",
      "layer_norm",
      "linear",
      "linear_bias",
      "rope_adjacent",
      "rope_half_split",
      "rope_adjacent_partial",
      "rope_half_split_partial",
      "rope_factors",
      "attention",
      "attention_window",
      "attention_soft_cap",
      "attention_window_soft_cap",
      "attention_all",
      "unary_silu",
      "unary_relu2",
      "unary_gelu_tanh",
      "glu_silu",
      "glu_relu2",
      "glu_gelu_tanh",
      "add",
      "scale",
      "embedding",
      "head",
      "head_soft_cap",
      "linear_scaled",  // not trained
  };
  std::set<std::string> there;
  for (const std::string& name : test::TrainingVectors("steps").names_after("")) {
    there.insert(name.substr(0, name.find('.')));
  }
  EXPECT_EQ(there, tested);
}

}  // namespace
}  // namespace tern::train
