// LLaMA (arXiv 2302.13971) and what shares its graph: pre-norm RMSNorm, rotary attention with grouped keys and values,
// SwiGLU, no biases unless the file has them. Also BitNet-trained models in LLaMA's shape (Falcon3-1.58,
// Llama3-8B-1.58): the same plan with the per-token policy. GGUF stores query and key rows so that rotary pairs are
// adjacent.
#include <array>
#include <cmath>

#include "models/all.hpp"
#include "models/plan_builder.hpp"

namespace tern::models {
namespace {

Plan llama_plan(const HyperParameters& p) {
  PlanBuilder b;
  const auto policy = p.linear_activation;
  const std::int64_t q_width = p.n_heads * p.head_dim;
  const std::int64_t kv_width = p.n_kv_heads * p.head_dim;
  const TensorId table = b.tensor("token_embd.weight", matrix_shape(p.n_embd, p.n_vocab), TensorRole::embedding);
  const TensorId factors = b.tensor("rope_freqs.weight", vector_shape(p.n_rotary / 2), TensorRole::rope_factors, true);
  ValueId x = b.embed("x", table);

  const auto weight = [&](std::string_view name, std::int64_t in, std::int64_t out) {
    return b.tensor(name, matrix_shape(in, out), TensorRole::linear);
  };
  const auto bias = [&](std::string_view name, std::int64_t width) {
    return b.tensor(name, vector_shape(width), TensorRole::bias, true);
  };
  const auto rotate = [&](std::string_view name, ValueId in, std::int64_t n_heads) {
    return b.rope(name, {.in = in,
                         .out = kNone,
                         .n_heads = n_heads,
                         .head_dim = p.head_dim,
                         .n_rotary = p.n_rotary,
                         .pairing = RopeStep::Pairing::adjacent,
                         .base = p.rope_base,
                         .scaling = p.rope_scaling,
                         .factors = factors});
  };
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    b.scope(fmt::format("blk.{}.", layer));
    const ValueId attn_norm =
        b.rms_norm("attn_norm", x, b.tensor("attn_norm.weight", vector_shape(p.n_embd), TensorRole::norm), p.norm_eps);
    const ValueId q =
        b.linear("q", attn_norm, weight("attn_q.weight", p.n_embd, q_width), policy, bias("attn_q.bias", q_width));
    const ValueId k =
        b.linear("k", attn_norm, weight("attn_k.weight", p.n_embd, kv_width), policy, bias("attn_k.bias", kv_width));
    const ValueId v =
        b.linear("v", attn_norm, weight("attn_v.weight", p.n_embd, kv_width), policy, bias("attn_v.bias", kv_width));
    const ValueId q_rot = rotate("q_rot", q, p.n_heads);
    const ValueId k_rot = rotate("k_rot", k, p.n_kv_heads);
    const ValueId mixed = b.attention("mixed", {.query = q_rot,
                                                .key = k_rot,
                                                .value = v,
                                                .out = kNone,
                                                .kv_layer = 0,
                                                .n_heads = p.n_heads,
                                                .n_kv_heads = p.n_kv_heads,
                                                .head_dim = p.head_dim,
                                                .scale = 1.0F / std::sqrt(static_cast<float>(p.head_dim))});
    const ValueId attn_out = b.linear("attn_out", mixed, weight("attn_output.weight", q_width, p.n_embd), policy,
                                      bias("attn_output.bias", p.n_embd));
    x = b.add("x_attn", x, attn_out);
    const ValueId ffn_norm =
        b.rms_norm("ffn_norm", x, b.tensor("ffn_norm.weight", vector_shape(p.n_embd), TensorRole::norm), p.norm_eps);
    const ValueId gate = b.linear("gate", ffn_norm, weight("ffn_gate.weight", p.n_embd, p.n_ff), policy);
    const ValueId up = b.linear("up", ffn_norm, weight("ffn_up.weight", p.n_embd, p.n_ff), policy);
    const ValueId hidden = b.glu("hidden", gate, up, p.activation);
    const ValueId down = b.linear("down", hidden, weight("ffn_down.weight", p.n_ff, p.n_embd), policy);
    x = b.add("x", x, down);
  }
  b.scope("");
  const ValueId last = b.rms_norm("output_norm", x,
                                  b.tensor("output_norm.weight", vector_shape(p.n_embd), TensorRole::norm), p.norm_eps);
  const TensorId head = b.tensor("output.weight", matrix_shape(p.n_embd, p.n_vocab), TensorRole::head, true, table);
  b.head("logits", last, head);
  return b.take();
}

HyperParameters llama_defaults() {
  return {};
}

constexpr std::array<std::string_view, 1> kClasses{"LlamaForCausalLM"};

using Rows = TensorName::Rows;
constexpr std::array<TensorName, 16> kNames{{
    {"token_embd.weight", "model.embed_tokens.weight", Rows::as_stored, "tok_embeddings.weight"},
    {"output_norm.weight", "model.norm.weight", Rows::as_stored, "norm.weight"},
    {"output.weight", "lm_head.weight", Rows::as_stored, "output.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight", Rows::as_stored,
     "layers.{}.attention_norm.weight"},
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", Rows::paired_query,
     "layers.{}.attention.wq.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", Rows::paired_key,
     "layers.{}.attention.wk.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight", Rows::as_stored,
     "layers.{}.attention.wv.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight", Rows::as_stored,
     "layers.{}.attention.wo.weight"},
    {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", Rows::paired_query},
    {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", Rows::paired_key},
    {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
    {"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight", Rows::as_stored,
     "layers.{}.ffn_norm.weight"},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight", Rows::as_stored,
     "layers.{}.feed_forward.w1.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight", Rows::as_stored, "layers.{}.feed_forward.w3.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight", Rows::as_stored,
     "layers.{}.feed_forward.w2.weight"},
}};

}  // namespace

const Architecture kLlama{
    .name = "llama",
    .summary = "LLaMA and models of its shape, float or ternary",
    .defaults = &llama_defaults,
    .plan = &llama_plan,
    .hugging_face_classes = kClasses,
    .describes = nullptr,
    .tensor_names = kNames,
};

}  // namespace tern::models
