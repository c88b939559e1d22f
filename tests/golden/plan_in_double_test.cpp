// The reference that runs plans in double precision (tests/support/plan_in_double.hpp) against torch: every step kind's
// output, the loss of whole models, and central differences against autograd's gradients, with roundings as surrogates.
#include "tests/support/plan_in_double.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/half.hpp"
#include "base/random.hpp"
#include "formats/token_codes.hpp"
#include "models/plan_builder.hpp"
#include "tests/support/training_vectors.hpp"

namespace tern::test {
namespace {

using models::PlanBuilder;
using models::TensorRole;
using models::ValueId;

double largest(const std::vector<double>& values) {
  double out = 0.0;
  for (const double value : values) out = std::max(out, std::abs(value));
  return out;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want, double relative,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], relative * largest(want)) << what << " [" << i << "]";
  }
}

// A plan that looks its inputs up as rows of a table and runs one step on them: token t is row t.
class OneStep {
 public:
  explicit OneStep(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  double number(const std::string& key) const { return vectors_.number(name_ + "." + key); }
  std::int64_t integer(const std::string& key) const { return vectors_.integer(name_ + "." + key); }
  std::string text(const std::string& key) const { return vectors_.text(name_ + "." + key); }

  ValueId input(const std::string& tensor) {
    const std::string full = name_ + "." + tensor;
    const auto width = static_cast<std::int64_t>(vectors_.row_length(full));
    parameters_[tensor] = vectors_.doubles(full);
    n_tokens_ = parameters_[tensor].size() / static_cast<std::size_t>(width);
    return builder.embed(tensor, builder.tensor(tensor, matrix_shape(width, static_cast<std::int64_t>(n_tokens_)),
                                                TensorRole::embedding));
  }
  models::TensorId vector(const std::string& tensor) {
    if (!vectors_.has(name_ + "." + tensor)) return models::kNone;
    parameters_[tensor] = vectors_.doubles(name_ + "." + tensor);
    return builder.tensor(tensor, vector_shape(static_cast<std::int64_t>(parameters_[tensor].size())),
                          TensorRole::norm);
  }
  models::TensorId matrix(const std::string& tensor) {
    const auto width = static_cast<std::int64_t>(vectors_.row_length(name_ + "." + tensor));
    parameters_[tensor] = vectors_.doubles(name_ + "." + tensor);
    return builder.tensor(tensor, matrix_shape(width, static_cast<std::int64_t>(parameters_[tensor].size()) / width),
                          TensorRole::linear);
  }
  void expect_out(ValueId out) {
    const models::Plan plan = builder.take();
    Sequences rows(1);
    for (std::size_t t = 0; t < n_tokens_; ++t) rows[0].push_back(static_cast<std::int32_t>(t));
    const auto values = PlanInDouble(plan).values(parameters_, rows);
    expect_near(values[static_cast<std::size_t>(out)], vectors_.doubles(name_ + ".out"), 1e-7, name_);
  }

  PlanBuilder builder;

 private:
  std::string name_;
  TrainingVectors vectors_{"steps"};
  Parameters parameters_;
  std::size_t n_tokens_ = 0;
};

TEST(PlanInDouble, NormsAsTorchDoes) {
  for (const char* name : {"rms_norm", "rms_norm_heads", "layer_norm"}) {
    OneStep one(name);
    const bool layer = one.name() == "layer_norm";
    one.expect_out(one.builder.norm("y", {.in = one.input("in"),
                                          .out = models::kNone,
                                          .weight = one.vector("weight"),
                                          .bias = one.vector("bias"),
                                          .kind = layer ? models::NormStep::Kind::layer : models::NormStep::Kind::rms,
                                          .eps = static_cast<float>(one.number("eps")),
                                          .group_width = one.integer("group_width")}));
  }
}

TEST(PlanInDouble, MultipliesAsTorchDoes) {
  for (const char* name : {"linear", "linear_bias", "linear_scaled"}) {
    OneStep one(name);
    const ValueId in = one.input("in");
    one.expect_out(
        one.builder.linear("y", in, one.matrix("weight"), {}, one.vector("bias"), one.vector("output_scale")));
  }
}

TEST(PlanInDouble, RotatesAsTorchDoes) {
  for (const char* name :
       {"rope_adjacent", "rope_half_split", "rope_adjacent_partial", "rope_half_split_partial", "rope_factors"}) {
    OneStep one(name);
    const bool adjacent = one.text("pairing") == "adjacent";
    one.expect_out(one.builder.rope(
        "y", {.in = one.input("in"),
              .out = models::kNone,
              .n_heads = one.integer("n_heads"),
              .head_dim = one.integer("head_dim"),
              .n_rotary = one.integer("n_rotary"),
              .pairing = adjacent ? models::RopeStep::Pairing::adjacent : models::RopeStep::Pairing::half_split,
              .base = static_cast<float>(one.number("base")),
              .scaling = {},
              .factors = one.vector("factors")}));
  }
}

TEST(PlanInDouble, AttendsAsTorchDoes) {
  for (const char* name :
       {"attention", "attention_window", "attention_soft_cap", "attention_window_soft_cap", "attention_all"}) {
    OneStep one(name);
    one.expect_out(one.builder.attention("y", {.query = one.input("query"),
                                               .key = one.input("key"),
                                               .value = one.input("value"),
                                               .out = models::kNone,
                                               .kv_layer = 0,
                                               .n_heads = one.integer("n_heads"),
                                               .n_kv_heads = one.integer("n_kv_heads"),
                                               .head_dim = one.integer("head_dim"),
                                               .scale = static_cast<float>(one.number("scale")),
                                               .window = one.integer("window"),
                                               .causal = one.integer("causal") != 0,
                                               .soft_cap = static_cast<float>(one.number("soft_cap"))}));
  }
}

TEST(PlanInDouble, ActivatesAddsAndScalesAsTorchDoes) {
  for (const auto& [name, function] : {std::pair{"silu", models::Unary::silu},
                                       {"relu2", models::Unary::relu2},
                                       {"gelu_tanh", models::Unary::gelu_tanh}}) {
    OneStep unary(std::string("unary_") + name);
    unary.expect_out(unary.builder.unary("y", unary.input("in"), function));
    OneStep glu(std::string("glu_") + name);
    const ValueId gate = glu.input("gate");
    glu.expect_out(glu.builder.glu("y", gate, glu.input("up"), function));
  }
  OneStep add("add");
  const ValueId a = add.input("a");
  add.expect_out(add.builder.add("y", a, add.input("b")));
  OneStep scale("scale");
  scale.expect_out(scale.builder.scale("y", scale.input("in"), static_cast<float>(scale.number("factor"))));
}

TEST(PlanInDouble, LooksTokensUpAsTorchDoes) {
  const TrainingVectors v("steps");
  PlanBuilder builder;
  const auto width = static_cast<std::int64_t>(v.row_length("embedding.table"));
  const auto table = builder.tensor("table", matrix_shape(width, 13), TensorRole::embedding);
  const ValueId y = builder.embed("y", table, static_cast<float>(v.number("embedding.factor")));
  const models::Plan plan = builder.take();
  const auto values =
      PlanInDouble(plan).values({{"table", v.doubles("embedding.table")}}, {v.tokens("embedding.tokens")});
  expect_near(values[static_cast<std::size_t>(y)], v.doubles("embedding.out"), 1e-7, "embedding");
}

TEST(PlanInDouble, HeadsAndTheirCapAsTorchDoes) {
  for (const char* name : {"head", "head_soft_cap"}) {
    OneStep one(name);
    const ValueId in = one.input("in");
    one.expect_out(one.builder.head("y", in, one.matrix("weight"), static_cast<float>(one.number("soft_cap"))));
  }
}

// Rounds as the model's training does, in float32 as it does: what freeze() makes constants of.
std::vector<double> rounded_weight(const std::vector<double>& w, const std::string& method) {
  double sum = 0.0;
  double magnitudes = 0.0;
  for (const double value : w) {
    sum += value;
    magnitudes += std::abs(value);
  }
  const auto n = static_cast<double>(w.size());
  const float scale = fp16_to_fp32(fp32_to_fp16(static_cast<float>(magnitudes / n)));
  std::vector<double> out;
  for (const double value : w) {
    const float ratio = static_cast<float>(value) / scale;
    const double code = method == "sign" ? (value > sum / n ? 1.0 : -1.0)
                                         : std::clamp(std::nearbyint(static_cast<double>(ratio)), -1.0, 1.0);
    out.push_back(code * static_cast<double>(scale));
  }
  return out;
}

void round_tokens(std::vector<double>& rows, std::size_t width) {
  std::vector<float> x(width);
  std::vector<std::int8_t> codes(width);
  for (std::size_t at = 0; at < rows.size(); at += width) {
    for (std::size_t i = 0; i < width; ++i) x[i] = static_cast<float>(rows[at + i]);
    const formats::TokenCodes token =
        formats::encode_int8_token(x.data(), static_cast<std::int64_t>(width), codes.data());
    for (std::size_t i = 0; i < width; ++i) {
      rows[at + i] = static_cast<double>(codes[i]) / static_cast<double>(token.s);
    }
  }
}

LinearHooks rounding(const models::Plan& plan, const std::string& method) {
  LinearHooks hooks;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto* linear = std::get_if<models::LinearStep>(&plan.steps[i]);
    if (linear == nullptr) continue;
    const std::string& name = plan.tensor(linear->weight).name;
    const auto width = static_cast<std::size_t>(plan.value(linear->in).width);
    hooks[i] = {.weight = [name, method](const Parameters& p) { return rounded_weight(p.at(name), method); },
                .input = [width](std::vector<double>& x) { round_tokens(x, width); }};
  }
  return hooks;
}

// The rule of learned steps as a surrogate linear in weight and step around the vectors' point.
LinearHooks learned_steps(const models::Plan& plan, const Parameters& here) {
  LinearHooks hooks;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto* linear = std::get_if<models::LinearStep>(&plan.steps[i]);
    if (linear == nullptr) continue;
    const std::string name = plan.tensor(linear->weight).name;
    const std::string step_name = name.substr(0, name.size() - std::string_view("weight").size()) + "step";
    const double scale = static_cast<double>(fp16_to_fp32(fp32_to_fp16(static_cast<float>(here.at(step_name).at(0)))));
    hooks[i].weight = [name, step_name, scale, &here](const Parameters& p) {
      const std::vector<double>& w0 = here.at(name);
      const double rate = 1.0 / std::sqrt(static_cast<double>(w0.size()) * 7.0);
      const double moved = rate * (p.at(step_name).at(0) - here.at(step_name).at(0));
      std::vector<double> out;
      for (std::size_t k = 0; k < w0.size(); ++k) {
        const double ratio = w0[k] / scale;
        const bool inside = ratio > -8.0 && ratio < 7.0;
        const double code = std::nearbyint(std::clamp(ratio, -8.0, 7.0));
        out.push_back(code * scale + (inside ? p.at(name)[k] - w0[k] : 0.0) + (inside ? code - ratio : code) * moved);
      }
      return out;
    };
  }
  return hooks;
}

// Central differences at a sample of every tensor. An element far below its tensor's largest is held to the precision
// that float32 left it: 1e-4 of a hundredth of the largest.
void expect_gradients(const PlanInDouble& model, const TrainingVectors& v, std::size_t n_samples) {
  const Parameters here = v.parameters("initial");
  Random random(7);
  for (const auto& [name, gradient] : v.parameters("gradient")) {
    ASSERT_EQ(here.at(name).size(), gradient.size()) << name;
    for (std::size_t sample = 0; sample < std::min(n_samples, gradient.size()); ++sample) {
      const std::size_t i =
          gradient.size() <= n_samples ? sample : static_cast<std::size_t>(random.below(gradient.size()));
      const double got = model.central_difference(here, v.batch(0), name, i, 1e-4);
      EXPECT_NEAR(got, gradient[i], 1e-4 * std::max(std::abs(gradient[i]), 0.01 * largest(gradient)))
          << name << " [" << i << "]";
    }
  }
}

TEST(PlanInDouble, LossAndGradientsOfAFloatModelAreTorchs) {
  const TrainingVectors v("llama_float");
  const models::Plan plan = v.plan();
  const PlanInDouble model(plan);
  const double want = v.doubles("loss").at(0);
  EXPECT_NEAR(model.mean_cross_entropy(v.parameters("initial"), v.batch(0)), want, 1e-6 * want);
  expect_gradients(model, v, 30);
}

TEST(PlanInDouble, SurrogateOfARoundedModelHasItsLossAndItsStraightThroughGradients) {
  for (const char* name : {"bitnet_ternary", "bitnet_binary"}) {
    SCOPED_TRACE(name);
    const TrainingVectors v(name);
    const models::Plan plan = v.plan();
    const PlanInDouble rounded(plan, rounding(plan, v.text("method")));
    const Parameters here = v.parameters("initial");
    const double want = v.doubles("loss").at(0);
    EXPECT_NEAR(rounded.mean_cross_entropy(here, v.batch(0)), want, 1e-6 * want);
    const PlanInDouble surrogate = rounded.freeze(here, v.batch(0));
    EXPECT_NEAR(surrogate.mean_cross_entropy(here, v.batch(0)), want, 1e-6 * want);
    EXPECT_GT(std::abs(PlanInDouble(plan).mean_cross_entropy(here, v.batch(0)) - want), 1e-3 * want);
    expect_gradients(surrogate, v, 10);
  }
}

TEST(PlanInDouble, SurrogateOfLearnedStepsHasTheirGradients) {
  const TrainingVectors v("llama_lsq4");
  const models::Plan plan = v.plan();
  const Parameters here = v.parameters("initial");
  const PlanInDouble surrogate(plan, learned_steps(plan, here));
  const double want = v.doubles("loss").at(0);
  EXPECT_NEAR(surrogate.mean_cross_entropy(here, v.batch(0)), want, 1e-6 * want);
  expect_gradients(surrogate, v, 10);
}

TEST(PlanInDouble, SequencesDoNotSeeEachOther) {
  const TrainingVectors v("llama_float");
  const models::Plan plan = v.plan();
  const PlanInDouble model(plan);
  const Parameters p = v.parameters("initial");
  const Sequences rows = v.batch(0);
  double sum = 0.0;
  for (const auto& row : rows) sum += model.mean_cross_entropy(p, {row});
  EXPECT_NEAR(model.mean_cross_entropy(p, rows), sum / static_cast<double>(rows.size()), 1e-13);
}

}  // namespace
}  // namespace tern::test
