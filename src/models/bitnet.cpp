// BitNet b1.58 (arXiv 2402.17764, 2504.12285) with sub-norms: LLaMA's graph plus an RMSNorm before the attention output
// and before the down projection, a gated unit with relu^2 or SiLU, and every linear of a block reading int8-per-token
// activations. Three names in the field share this plan:
//   bitnet        SiLU unless the file's hidden_activation key says relu2 (1bitLLM 0.7B/3B)
//   bitnet-25     first upload of the 2B model: relu2
//   bitnet-b1.58  official 2B-4T file: relu2; it carries no activation key, so the name must imply it
// Rotary pairs are half a head apart, as in the checkpoints: no rows are reordered.
#include <array>

#include "models/all.hpp"
#include "models/decoder.hpp"

namespace tern::models {
namespace {

Plan bitnet_plan(const HyperParameters& p) {
  Decoder d(p, RopeStep::Pairing::half_split);
  ValueId x = d.embed();
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    d.begin_layer(layer);
    const ValueId attn_norm = d.norm("attn_norm", x, "attn_norm");
    const ValueId q = d.scaled_linear("q", attn_norm, "attn_q", d.q_width());
    const ValueId k = d.scaled_linear("k", attn_norm, "attn_k", d.kv_width());
    const ValueId v = d.scaled_linear("v", attn_norm, "attn_v", d.kv_width());
    const ValueId mixed = d.attend(d.rotate("q_rot", q), d.rotate("k_rot", k), v);
    const ValueId attn_sub = d.norm("attn_sub_norm", mixed, "attn_sub_norm");
    x = d.add("x_attn", x, d.scaled_linear("attn_out", attn_sub, "attn_output", p.n_embd));
    const ValueId ffn_norm = d.norm("ffn_norm", x, "ffn_norm");
    const ValueId gate = d.scaled_linear("gate", ffn_norm, "ffn_gate", p.n_ff);
    const ValueId up = d.scaled_linear("up", ffn_norm, "ffn_up", p.n_ff);
    const ValueId ffn_sub = d.norm("ffn_sub_norm", d.glu(gate, up), "ffn_sub_norm");
    x = d.add("x", x, d.scaled_linear("down", ffn_sub, "ffn_down", p.n_embd));
  }
  return d.finish(x);
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

Result<void> write_bitnet_config(const HfModel& model, HfJsonWriter& out) {
  return write_decoder_config(model, "BitNetForCausalLM", "bitnet", out);
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
    .write_config = &write_bitnet_config,
};

const Architecture kBitNet25{
    .name = "bitnet-25",
    .summary = "BitNet b1.58 2B as first uploaded: relu2, sub-norms",
    .defaults = &relu2_defaults,
    .plan = &bitnet_plan,
    .hugging_face_classes = {},
    .describes = nullptr,
    .tensor_names = kNames,
    .write_config = &write_bitnet_config,
};

const Architecture kBitNetB158{
    .name = "bitnet-b1.58",
    .summary = "BitNet b1.58 2B-4T: relu2, sub-norms",
    .defaults = &relu2_defaults,
    .plan = &bitnet_plan,
    .hugging_face_classes = kClasses,
    .describes = &is_relu2,
    .tensor_names = kNames,
    .write_config = &write_bitnet_config,
};

}  // namespace tern::models
