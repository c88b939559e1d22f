// BitNet b1.58 (arXiv 2402.17764, 2504.12285) with sub-norms: LLaMA's graph plus an RMSNorm before the attention output
// and before the down projection, a gated unit with relu^2 or SiLU, and every linear of a block reading int8-per-token
// activations. Three names in the field share this plan:
//   bitnet        SiLU unless the file's hidden_activation key says relu2 (1bitLLM 0.7B/3B)
//   bitnet-25     first upload of the 2B model: relu2
//   bitnet-b1.58  official 2B-4T file: relu2; it carries no activation key, so the name must imply it
// Rotary pairs are half a head apart, as in the checkpoints: no rows are reordered.
#include <array>
#include <cmath>

#include "models/all.hpp"
#include "models/plan_builder.hpp"

namespace tern::models {
namespace {

Plan bitnet_plan(const HyperParameters& p) {
  PlanBuilder b;
  const std::int64_t q_width = p.n_heads * p.head_dim;
  const std::int64_t kv_width = p.n_kv_heads * p.head_dim;
  const TensorId table = b.tensor("token_embd.weight", matrix_shape(p.n_embd, p.n_vocab), TensorRole::embedding);
  ValueId x = b.embed("x", table);

  const auto norm = [&](std::string_view value, ValueId in, std::string_view tensor) {
    return b.rms_norm(value, in, b.tensor(tensor, vector_shape(b.width(in)), TensorRole::norm), p.norm_eps);
  };
  // Some conversions keep each matrix's scale beside it as "<name>.scale" [1].
  const auto linear = [&](std::string_view value, ValueId in, std::string_view name, std::int64_t out) {
    const TensorId weight =
        b.tensor(fmt::format("{}.weight", name), matrix_shape(b.width(in), out), TensorRole::linear);
    const TensorId scale = b.tensor(fmt::format("{}.scale", name), vector_shape(1), TensorRole::scale, true);
    return b.linear(value, in, weight, p.linear_activation, kNone, scale);
  };
  const auto rotate = [&](std::string_view name, ValueId in, std::int64_t n_heads) {
    return b.rope(name, {.in = in,
                         .out = kNone,
                         .n_heads = n_heads,
                         .head_dim = p.head_dim,
                         .n_rotary = p.n_rotary,
                         .pairing = RopeStep::Pairing::half_split,
                         .base = p.rope_base,
                         .scaling = p.rope_scaling});
  };
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    b.scope(fmt::format("blk.{}.", layer));
    const ValueId attn_norm = norm("attn_norm", x, "attn_norm.weight");
    const ValueId q = linear("q", attn_norm, "attn_q", q_width);
    const ValueId k = linear("k", attn_norm, "attn_k", kv_width);
    const ValueId v = linear("v", attn_norm, "attn_v", kv_width);
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
    const ValueId sub = norm("attn_sub_norm", mixed, "attn_sub_norm.weight");
    x = b.add("x_attn", x, linear("attn_out", sub, "attn_output", p.n_embd));
    const ValueId ffn_norm = norm("ffn_norm", x, "ffn_norm.weight");
    const ValueId gate = linear("gate", ffn_norm, "ffn_gate", p.n_ff);
    const ValueId up = linear("up", ffn_norm, "ffn_up", p.n_ff);
    const ValueId hidden = b.glu("hidden", gate, up, p.activation);
    const ValueId ffn_sub = norm("ffn_sub_norm", hidden, "ffn_sub_norm.weight");
    x = b.add("x", x, linear("down", ffn_sub, "ffn_down", p.n_embd));
  }
  b.scope("");
  const ValueId last = norm("output_norm", x, "output_norm.weight");
  b.head("logits", last, b.tensor("output.weight", matrix_shape(p.n_embd, p.n_vocab), TensorRole::head, true, table));
  return b.take();
}

HyperParameters silu_defaults() {
  HyperParameters p;
  p.linear_activation = {ActivationPolicy::Mode::per_token, 8};
  return p;
}
HyperParameters relu2_defaults() {
  HyperParameters p = silu_defaults();
  p.activation = Unary::relu2;
  return p;
}

bool is_relu2(const HfConfig& config) {
  return config.parameters.activation == Unary::relu2;
}
bool is_not_relu2(const HfConfig& config) {
  return !is_relu2(config);
}

constexpr std::array<std::string_view, 2> kClasses{"BitNetForCausalLM", "BitnetForCausalLM"};

constexpr std::array<TensorName, 16> kNames{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    {"blk.{}.attn_sub_norm.weight", "model.layers.{}.self_attn.attn_sub_norm.weight"},
    {"blk.{}.attn_sub_norm.weight", "model.layers.{}.self_attn.inner_attn_ln.weight"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
    {"blk.{}.ffn_sub_norm.weight", "model.layers.{}.mlp.ffn_sub_norm.weight"},
    {"blk.{}.ffn_sub_norm.weight", "model.layers.{}.mlp.ffn_layernorm.weight"},
}};

}  // namespace

const Architecture kBitNet{
    .name = "bitnet",
    .summary = "BitNet b1.58 with sub-norms, SiLU unless the file says relu2",
    .defaults = &silu_defaults,
    .plan = &bitnet_plan,
    .hugging_face_classes = kClasses,
    .describes = &is_not_relu2,
    .tensor_names = kNames,
};

const Architecture kBitNet25{
    .name = "bitnet-25",
    .summary = "BitNet b1.58 2B as first uploaded: relu2, sub-norms",
    .defaults = &relu2_defaults,
    .plan = &bitnet_plan,
    .hugging_face_classes = {},
    .describes = nullptr,
    .tensor_names = kNames,
};

const Architecture kBitNetB158{
    .name = "bitnet-b1.58",
    .summary = "BitNet b1.58 2B-4T: relu2, sub-norms",
    .defaults = &relu2_defaults,
    .plan = &bitnet_plan,
    .hugging_face_classes = kClasses,
    .describes = &is_relu2,
    .tensor_names = kNames,
};

}  // namespace tern::models
