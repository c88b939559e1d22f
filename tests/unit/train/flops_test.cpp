// Operations of a training step, counted by hand for one small plan.
#include "train/flops.hpp"

#include <gtest/gtest.h>

#include "models/plan_builder.hpp"

namespace tern::train {
namespace {

using models::TensorRole;

// Width 8, one attention of 2 heads of 4 with 1 key head, a vocabulary of 10.
models::Plan small_plan(std::int64_t window, bool causal) {
  models::PlanBuilder b;
  const auto table = b.tensor("embd", matrix_shape(8, 10), TensorRole::embedding);
  const auto x = b.embed("x", table);
  const auto q = b.linear("q", x, b.tensor("wq", matrix_shape(8, 8), TensorRole::linear), {});
  const auto k = b.linear("k", x, b.tensor("wk", matrix_shape(8, 4), TensorRole::linear), {});
  const auto v = b.linear("v", x, b.tensor("wv", matrix_shape(8, 4), TensorRole::linear), {});
  const auto mixed = b.attention("mixed", {.query = q,
                                           .key = k,
                                           .value = v,
                                           .out = models::kNone,
                                           .kv_layer = 0,
                                           .n_heads = 2,
                                           .n_kv_heads = 1,
                                           .head_dim = 4,
                                           .scale = 0.5F,
                                           .window = window,
                                           .causal = causal});
  b.head("logits", mixed, b.tensor("head", matrix_shape(8, 10), TensorRole::head, true, table));
  return b.take();
}

TEST(Flops, AreThoseCountedByHand) {
  // Matrices: 8*8 + 2 * 4*8 in the block, 10*8 in the head; each multiply-add counts two, three times over.
  constexpr double kMatrices = 2.0 * 3.0 * (64 + 64 + 80);
  // Attention: 7 products of width 8 with each key that is seen. Of 5 tokens: 1 + 2 + 3 + 4 + 5 = 15 keys, 3 a token.
  EXPECT_DOUBLE_EQ(flops_of_training(small_plan(0, true), 5), kMatrices + 2.0 * 7.0 * 8.0 * 3.0);
  // In a window of 2: 1 + 2 + 2 + 2 + 2 = 9 keys.
  EXPECT_DOUBLE_EQ(flops_of_training(small_plan(2, true), 5), kMatrices + 2.0 * 7.0 * 8.0 * 9.0 / 5.0);
  // Each token sees all five.
  EXPECT_DOUBLE_EQ(flops_of_training(small_plan(0, false), 5), kMatrices + 2.0 * 7.0 * 8.0 * 5.0);
}

}  // namespace
}  // namespace tern::train
