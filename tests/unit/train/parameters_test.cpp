// Parameters of a plan: what is there, what is tied, how they start.
#include "train/parameters.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "models/all.hpp"

namespace tern::train {
namespace {

models::Plan plan_of(std::string_view architecture, std::int64_t n_layers) {
  const models::Architecture& found = **models::by_name(architecture);
  models::HyperParameters p = found.defaults();
  p.architecture = std::string(architecture);
  p.n_vocab = 96;
  p.n_ctx_train = 16;
  p.n_embd = 32;
  p.n_ff = 64;
  p.n_layers = n_layers;
  p.n_heads = 4;
  p.n_kv_heads = 2;
  p.head_dim = p.n_rotary = 8;
  return found.plan(p);
}

models::TensorId id_of(const models::Plan& plan, std::string_view name) {
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.tensors[i].name == name) return static_cast<models::TensorId>(i);
  }
  return models::kNone;
}

TEST(Parameters, ATiedHeadIsTheEmbedding) {
  const models::Plan plan = plan_of("llama", 1);
  Parameters tied(plan, usual_tensors(true));
  EXPECT_EQ(tied.find("output.weight"), nullptr);
  EXPECT_EQ(tied.of(id_of(plan, "output.weight")), tied.find("token_embd.weight"));
  Parameters untied(plan, usual_tensors(false));
  ASSERT_NE(untied.find("output.weight"), nullptr);
  EXPECT_EQ(untied.of(id_of(plan, "output.weight")), untied.find("output.weight"));
  EXPECT_EQ(untied.n_values(), tied.n_values() + 96 * 32);
}

TEST(Parameters, OptionalTensorsAreAbsentUnlessAskedFor) {
  const models::Plan plan = plan_of("bitnet-b1.58", 1);
  Parameters usual(plan, usual_tensors(true));
  EXPECT_EQ(usual.of(id_of(plan, "blk.0.attn_q.scale")), nullptr);
  EXPECT_EQ(usual.of(models::kNone), nullptr);
  Parameters every(plan, [](const models::TensorSpec&) { return true; });
  EXPECT_NE(every.of(id_of(plan, "blk.0.attn_q.scale")), nullptr);
  const models::Plan biased = plan_of("qwen2", 1);
  EXPECT_NE(Parameters(biased, usual_tensors(true)).of(id_of(biased, "blk.0.attn_q.bias")), nullptr)
      << "these biases are required";
}

TEST(Parameters, MatricesDecayAndVectorsDoNot) {
  const models::Plan plan = plan_of("qwen2", 1);
  const Parameters parameters(plan, usual_tensors(false));
  for (const auto& p : parameters.all()) {
    const bool matrix = p->role == models::TensorRole::linear || p->role == models::TensorRole::embedding ||
                        p->role == models::TensorRole::head;
    EXPECT_EQ(p->decays, matrix) << p->name;
  }
}

TEST(Parameters, AddedOnesMoveNoOther) {
  const models::Plan plan = plan_of("llama", 1);
  Parameters parameters(plan, usual_tensors(true));
  const Parameter* before = parameters.find("blk.0.attn_q.weight");
  for (int i = 0; i < 100; ++i) parameters.add("more" + std::to_string(i), vector_shape(3), models::TensorRole::scale);
  EXPECT_EQ(parameters.find("blk.0.attn_q.weight"), before);
  EXPECT_NE(parameters.find("more99"), nullptr);
}

TEST(Parameters, StartAsTheirRolesSay) {
  const models::Plan plan = plan_of("qwen2", 2);
  Parameters parameters(plan, usual_tensors(false));
  initialise(parameters, 5, {.matrices = 0.02F, .embedding = 0.2F});
  for (const auto& p : parameters.all()) {
    double sum = 0.0;
    double squares = 0.0;
    for (const float value : p->master.span()) {
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto n = static_cast<double>(p->master.size());
    if (p->role == models::TensorRole::norm) {
      EXPECT_EQ(sum, n) << p->name;
      EXPECT_EQ(squares, n) << p->name;
    } else if (p->role == models::TensorRole::bias) {
      EXPECT_EQ(squares, 0.0) << p->name;
    } else {
      const double deviation = p->role == models::TensorRole::embedding ? 0.2 : 0.02;
      EXPECT_NEAR(std::sqrt(squares / n), deviation, deviation * 4.0 / std::sqrt(2.0 * n)) << p->name;
      EXPECT_NEAR(sum / n, 0.0, deviation * 4.0 / std::sqrt(n)) << p->name;
    }
  }
}

TEST(Parameters, StartDependsOnSeedAndNameAlone) {
  const models::Plan shallow_plan = plan_of("llama", 1);
  const models::Plan deep_plan = plan_of("qwen3", 3);
  Parameters shallow(shallow_plan, usual_tensors(true));
  Parameters deep(deep_plan, usual_tensors(false));
  Parameters other_seed(shallow_plan, usual_tensors(true));
  initialise(shallow, 7, {});
  initialise(deep, 7, {});
  initialise(other_seed, 8, {});
  std::vector<const Parameter*> matrices;
  for (const auto& p : shallow.all()) {
    const Parameter* same = deep.find(p->name);
    ASSERT_NE(same, nullptr) << p->name;
    EXPECT_TRUE(std::ranges::equal(p->master.span(), same->master.span())) << p->name;
    if (p->shape.is_vector()) continue;
    EXPECT_FALSE(std::ranges::equal(p->master.span(), other_seed.find(p->name)->master.span())) << p->name;
    for (const Parameter* another : matrices) {
      EXPECT_NE(p->master.data()[0], another->master.data()[0]) << p->name << " and " << another->name;
    }
    matrices.push_back(p.get());
  }
}

TEST(Parameters, GradientsAreCleared) {
  const models::Plan plan = plan_of("llama", 1);
  Parameters parameters(plan, usual_tensors(true));
  for (const auto& p : parameters.all()) std::ranges::fill(p->gradient.span(), 3.0F);
  parameters.clear_gradients();
  for (const auto& p : parameters.all()) {
    for (const float g : p->gradient.span()) ASSERT_EQ(g, 0.0F) << p->name;
  }
}

}  // namespace
}  // namespace tern::train
