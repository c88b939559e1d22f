// Qwen 3 (arXiv 2505.09388): LLaMA's graph with an RMS norm over each head of query and key before the rotation, and
// heads as wide as the file says. Also BitNet-trained embedding models of this shape (BitNet-embedding 0.6B): a norm
// before every projection, pooling instead of a head. Rotary pairs are half a head apart.
#include <array>

#include "models/all.hpp"
#include "models/decoder.hpp"

namespace tern::models {
namespace {

Plan qwen3_plan(const HyperParameters& p) {
  Decoder d(p, RopeStep::Pairing::half_split);
  ValueId x = d.embed();
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    d.begin_layer(layer);
    const ValueId attn_norm = d.norm("attn_norm", x, "attn_norm");
    const ValueId q = d.linear("q", attn_norm, "attn_q", d.q_width());
    const ValueId k = d.linear("k", attn_norm, "attn_k", d.kv_width());
    const ValueId v = d.linear("v", attn_norm, "attn_v", d.kv_width());
    const ValueId q_rot = d.rotate("q_rot", d.head_norm("q_norm", q, "attn_q_norm"));
    const ValueId k_rot = d.rotate("k_rot", d.head_norm("k_norm", k, "attn_k_norm"));
    const ValueId mixed = d.attend(q_rot, k_rot, v);
    x = d.add("x_attn", x, d.linear("attn_out", mixed, "attn_output", p.n_embd));
    const ValueId ffn_norm = d.norm("ffn_norm", x, "ffn_norm");
    const ValueId gate = d.linear("gate", ffn_norm, "ffn_gate", p.n_ff);
    const ValueId up = d.linear("up", ffn_norm, "ffn_up", p.n_ff);
    x = d.add("x", x, d.linear("down", d.glu(gate, up), "ffn_down", p.n_embd));
  }
  return d.finish(x);
}

HyperParameters qwen3_defaults() {
  HyperParameters p;
  p.norm_eps = 1e-6F;
  p.rope_base = 1000000.0F;
  return p;
}

Result<void> read_qwen3_config(const HfJson& config, HfConfig& out) {
  out.parameters.head_dim = 128;  // where the key is absent: not hidden / heads
  return read_decoder_config(config, out);
}

Result<void> write_qwen3_config(const HfModel& model, HfJsonWriter& out) {
  return write_decoder_config(model, "Qwen3ForCausalLM", "qwen3", out);
}

constexpr std::array<std::string_view, 2> kClasses{"Qwen3ForCausalLM", "Qwen3Model"};

constexpr std::array<TensorName, 21> kNames{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
    {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
    {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
    {"blk.{}.attn_q_norm_in.weight", "model.layers.{}.self_attn.q_proj.norm.weight"},
    {"blk.{}.attn_k_norm_in.weight", "model.layers.{}.self_attn.k_proj.norm.weight"},
    {"blk.{}.attn_v_norm_in.weight", "model.layers.{}.self_attn.v_proj.norm.weight"},
    {"blk.{}.attn_output_norm_in.weight", "model.layers.{}.self_attn.o_proj.norm.weight"},
    {"blk.{}.ffn_gate_norm_in.weight", "model.layers.{}.mlp.gate_proj.norm.weight"},
    {"blk.{}.ffn_up_norm_in.weight", "model.layers.{}.mlp.up_proj.norm.weight"},
    {"blk.{}.ffn_down_norm_in.weight", "model.layers.{}.mlp.down_proj.norm.weight"},
}};

}  // namespace

const Architecture kQwen3{
    .name = "qwen3",
    .summary = "Qwen 3: norms on query and key heads; BitNet embedding models of this shape",
    .defaults = &qwen3_defaults,
    .plan = &qwen3_plan,
    .hugging_face_classes = kClasses,
    .describes = nullptr,
    .tensor_names = kNames,
    .read_config = &read_qwen3_config,
    .write_config = &write_qwen3_config,
};

}  // namespace tern::models
