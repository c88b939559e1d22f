// Qwen 2 and 2.5 (arXiv 2407.10671, 2412.15115): LLaMA's graph with biases on query, key and value. Some checkpoints
// let the upper layers slide. Rotary pairs are half a head apart.
#include <array>

#include "models/all.hpp"
#include "models/decoder.hpp"
#include "models/hf_json.hpp"
#include "models/hf_json_writer.hpp"

namespace tern::models {
namespace {

Plan qwen2_plan(const HyperParameters& p) {
  Decoder d(p, RopeStep::Pairing::half_split);
  ValueId x = d.embed();
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    d.begin_layer(layer);
    const ValueId attn_norm = d.norm("attn_norm", x, "attn_norm");
    const ValueId q = d.linear("q", attn_norm, "attn_q", d.q_width(), Bias::required);
    const ValueId k = d.linear("k", attn_norm, "attn_k", d.kv_width(), Bias::required);
    const ValueId v = d.linear("v", attn_norm, "attn_v", d.kv_width(), Bias::required);
    const ValueId mixed = d.attend(d.rotate("q_rot", q), d.rotate("k_rot", k), v);
    x = d.add("x_attn", x, d.linear("attn_out", mixed, "attn_output", p.n_embd));
    const ValueId ffn_norm = d.norm("ffn_norm", x, "ffn_norm");
    const ValueId gate = d.linear("gate", ffn_norm, "ffn_gate", p.n_ff);
    const ValueId up = d.linear("up", ffn_norm, "ffn_up", p.n_ff);
    x = d.add("x", x, d.linear("down", d.glu(gate, up), "ffn_down", p.n_embd));
  }
  return d.finish(x);
}

HyperParameters qwen2_defaults() {
  HyperParameters p;
  p.norm_eps = 1e-6F;
  p.rope_base = 1000000.0F;
  return p;
}

// use_sliding_window switches it on, from layer max_window_layers upwards.
Result<void> read_qwen2_config(const HfJson& config, HfConfig& out) {
  HyperParameters& p = out.parameters;
  TERN_TRY_DO(read_decoder_config(config, out));
  TERN_TRY(const bool slides, config.flag_or("use_sliding_window", false));
  if (!slides) return {};
  p.window = 4096;
  TERN_TRY_DO(config.integer("sliding_window", p.window));
  std::int64_t n_full = 28;
  TERN_TRY_DO(config.integer("max_window_layers", n_full));
  for (std::int64_t layer = 0; layer < p.n_layers && layer < kMaxLayers; ++layer) {
    p.windowed.push_back(layer >= n_full ? 1 : 0);
  }
  return read_layer_types(config, p);
}

Result<void> write_qwen2_config(const HfModel& model, HfJsonWriter& out) {
  const HyperParameters& p = model.config.parameters;
  HfModel without = model;
  without.config.parameters.window = 0;
  TERN_TRY_DO(write_decoder_config(without, "Qwen2ForCausalLM", "qwen2", out));
  out.flag("use_sliding_window", p.window > 0);
  if (p.window == 0) return {};
  std::int64_t n_full = 0;  // the layers below the first that slides; layer_types says what is no such pattern
  while (n_full < p.n_layers && !p.is_windowed(n_full)) ++n_full;
  out.integer("sliding_window", p.window);
  out.integer("max_window_layers", n_full);
  write_layer_types(p, out);
  return {};
}

constexpr std::array<std::string_view, 1> kClasses{"Qwen2ForCausalLM"};

constexpr std::array<TensorName, 15> kNames{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
    {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias"},
    {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias"},
    {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
}};

}  // namespace

const Architecture kQwen2{
    .name = "qwen2",
    .summary = "Qwen 2 and 2.5: biases on query, key and value",
    .defaults = &qwen2_defaults,
    .plan = &qwen2_plan,
    .hugging_face_classes = kClasses,
    .describes = nullptr,
    .tensor_names = kNames,
    .read_config = &read_qwen2_config,
    .write_config = &write_qwen2_config,
};

}  // namespace tern::models
