// Gemma 3 (arXiv 2503.19786), the model of text: norms before and after attention and feed-forward, norms on query and
// key heads, five sliding layers to each that sees everything, with rotary bases of their own, GELU, embeddings scaled
// by the root of their width. Also BitNet-trained embedding models of this shape. Checkpoints store the gain of every
// norm minus one; GGUF, and so the plan, holds the gain itself. Rotary pairs are half a head apart.
#include <array>
#include <cmath>

#include "models/all.hpp"
#include "models/decoder.hpp"
#include "models/hf_json.hpp"
#include "models/hf_json_writer.hpp"

namespace tern::models {
namespace {

constexpr std::int64_t kPeriod = 6;
constexpr float kLocalBase = 10000.0F;
// The largest model scales its scores by the root of hidden / heads instead of the heads' width. Its files do not say
// so; its number of layers is its own.
constexpr std::int64_t kLayersOf27B = 62;

Plan gemma3_plan(const HyperParameters& given) {
  HyperParameters p = given;
  if (p.attention_scale == 0.0F && p.n_layers == kLayersOf27B) {
    p.attention_scale = 1.0F / std::sqrt(static_cast<float>(p.n_embd) / static_cast<float>(p.n_heads));
  }
  Decoder d(p, RopeStep::Pairing::half_split);
  ValueId x = d.embed(std::sqrt(static_cast<float>(p.n_embd)));
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    d.begin_layer(layer);
    const ValueId attn_norm = d.norm("attn_norm", x, "attn_norm");
    const ValueId q = d.linear("q", attn_norm, "attn_q", d.q_width());
    const ValueId k = d.linear("k", attn_norm, "attn_k", d.kv_width());
    const ValueId v = d.linear("v", attn_norm, "attn_v", d.kv_width());
    const ValueId q_rot = d.rotate("q_rot", d.head_norm("q_norm", q, "attn_q_norm"));
    const ValueId k_rot = d.rotate("k_rot", d.head_norm("k_norm", k, "attn_k_norm"));
    const ValueId attn_out = d.linear("attn_out", d.attend(q_rot, k_rot, v), "attn_output", p.n_embd);
    x = d.add("x_attn", x, d.norm("attn_post_norm", attn_out, "post_attention_norm"));
    const ValueId ffn_norm = d.norm("ffn_norm", x, "ffn_norm");
    const ValueId gate = d.linear("gate", ffn_norm, "ffn_gate", p.n_ff);
    const ValueId up = d.linear("up", ffn_norm, "ffn_up", p.n_ff);
    const ValueId down = d.linear("down", d.glu(gate, up), "ffn_down", p.n_embd);
    x = d.add("x", x, d.norm("ffn_post_norm", down, "post_ffw_norm"));
  }
  return d.finish(x);
}

HyperParameters gemma3_defaults() {
  HyperParameters p;
  p.norm_eps = 1e-6F;
  p.rope_base = 1000000.0F;
  p.activation = Unary::gelu_tanh;
  p.window_period = kPeriod;
  p.rope_base_windowed = kLocalBase;
  return p;
}

// Published files leave out whatever is as in the first model of the family.
Result<void> read_gemma3_config(const HfJson& config, HfConfig& out) {
  HyperParameters& p = out.parameters;
  p = gemma3_defaults();
  p.n_vocab = 262208;
  p.n_embd = 2304;
  p.n_layers = 26;
  p.n_ff = 9216;
  p.n_heads = 8;
  p.n_kv_heads = 4;
  p.head_dim = 256;
  p.n_ctx_train = 131072;
  out.tied_embeddings = true;
  TERN_TRY_DO(read_decoder_config(config, out));
  TERN_TRY(const bool both_ways, config.flag_or("use_bidirectional_attention", false));
  if (both_ways) {
    return fail(
        ErrorCode::unsupported,
        "config.json: use_bidirectional_attention is true; Tern runs models whose tokens see only earlier ones");
  }
  TERN_TRY_DO(read_activation(config, "hidden_activation", p));
  p.window = 4096;
  TERN_TRY_DO(config.integer("sliding_window", p.window));
  std::int64_t period = kPeriod;
  TERN_TRY_DO(config.integer("sliding_window_pattern", period));
  if (period < 0) {
    return fail(ErrorCode::bad_input,
                "config.json: sliding_window_pattern is {}, expected 0 (all slide) or which layer of a group does not",
                period);
  }
  if (p.n_layers > 0 && p.n_layers <= kMaxLayers) p.windowed = window_pattern(p.n_layers, period);
  TERN_TRY_DO(read_layer_types(config, p));
  // The newer spelling has rotary settings for each kind of layer.
  TERN_TRY_DO(config.number("rope_local_base_freq", p.rope_base_windowed));
  TERN_TRY(const auto rope, config.object("rope_parameters"));
  if (rope) {
    TERN_TRY(const auto full, rope->object("full_attention"));
    if (full) TERN_TRY_DO(read_rope_section(*full, out));
    TERN_TRY(const auto sliding, rope->object("sliding_attention"));
    if (sliding) TERN_TRY_DO(sliding->number("rope_theta", p.rope_base_windowed));
  }
  float scalar = static_cast<float>(p.head_dim);
  TERN_TRY_DO(config.number("query_pre_attn_scalar", scalar));
  if (!(scalar > 0.0F)) {
    return fail(ErrorCode::bad_input, "config.json: query_pre_attn_scalar is {}, expected a positive number", scalar);
  }
  if (scalar != static_cast<float>(p.head_dim)) p.attention_scale = 1.0F / std::sqrt(scalar);
  // attn_logit_softcapping may stand there, an inheritance: this generation's attention does without.
  return config.number("final_logit_softcapping", p.final_soft_cap);
}

// The integer whose root divides the scores.
Result<std::int64_t> query_scalar(const HfModel& model, std::string_view class_name) {
  const HyperParameters& p = model.config.parameters;
  if (p.attention_scale == 0.0F) return p.n_layers == kLayersOf27B ? p.n_embd / p.n_heads : p.head_dim;
  const auto scalar =
      static_cast<std::int64_t>(std::llround(1.0 / std::pow(static_cast<double>(p.attention_scale), 2)));
  if (1.0F / std::sqrt(static_cast<float>(scalar)) == p.attention_scale) return scalar;
  return refuse_for_class(model, class_name, fmt::format("an attention scale of {}", p.attention_scale));
}

// Sliding layers of a base of their own are not stretched, as here; without one they would have to be.
Result<void> write_gemma3_config(const HfModel& model, HfJsonWriter& out) {
  constexpr std::string_view kClass = "Gemma3ForCausalLM";
  const HyperParameters& p = model.config.parameters;
  const bool local_as_global = p.rope_base_windowed == 0.0F;
  if (p.window > 0 && local_as_global && p.rope_scaling.kind != RopeScaling::Kind::none)
    return refuse_for_class(model, kClass, "a rope scaling of its sliding layers");
  TERN_TRY(const std::int64_t scalar, query_scalar(model, kClass));
  HfModel without = model;
  without.config.parameters.window = 0;
  without.config.parameters.attention_scale = 0.0F;
  without.config.parameters.final_soft_cap = 0.0F;
  TERN_TRY_DO(write_decoder_config(without, kClass, "gemma3_text", out));
  out.text("hidden_activation", hf_activation_name(p.activation));
  out.number("rope_local_base_freq", local_as_global ? p.rope_base : p.rope_base_windowed);
  out.integer("query_pre_attn_scalar", scalar);
  if (p.window > 0) out.integer("sliding_window", p.window);
  for (std::int64_t period = 1; p.window > 0 && period <= p.n_layers; ++period) {  // what the first readers knew
    if (window_pattern(p.n_layers, period) != p.windowed) continue;
    out.integer("sliding_window_pattern", period);
    break;
  }
  write_layer_types(p, out);
  if (p.final_soft_cap != 0.0F) out.number("final_logit_softcapping", p.final_soft_cap);
  return {};
}

constexpr std::array<std::string_view, 3> kClasses{"Gemma3ForCausalLM", "Gemma3TextModel",
                                                   "Gemma3ForConditionalGeneration"};

constexpr TensorName gain(std::string_view gguf, std::string_view hugging_face) {
  return {.gguf = gguf, .hugging_face = hugging_face, .plus = 1.0F};
}

constexpr std::array<TensorName, 23> kNames{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    gain("output_norm.weight", "model.norm.weight"),
    {"output.weight", "lm_head.weight"},
    gain("blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"),
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
    gain("blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"),
    gain("blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"),
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    gain("blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight"),
    gain("blk.{}.ffn_norm.weight", "model.layers.{}.pre_feedforward_layernorm.weight"),
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
    gain("blk.{}.post_ffw_norm.weight", "model.layers.{}.post_feedforward_layernorm.weight"),
    // BitLinear's own norm, which is an ordinary one.
    {"blk.{}.attn_q_norm_in.weight", "model.layers.{}.self_attn.q_proj.norm.weight"},
    {"blk.{}.attn_k_norm_in.weight", "model.layers.{}.self_attn.k_proj.norm.weight"},
    {"blk.{}.attn_v_norm_in.weight", "model.layers.{}.self_attn.v_proj.norm.weight"},
    {"blk.{}.attn_output_norm_in.weight", "model.layers.{}.self_attn.o_proj.norm.weight"},
    {"blk.{}.ffn_gate_norm_in.weight", "model.layers.{}.mlp.gate_proj.norm.weight"},
    {"blk.{}.ffn_up_norm_in.weight", "model.layers.{}.mlp.up_proj.norm.weight"},
    {"blk.{}.ffn_down_norm_in.weight", "model.layers.{}.mlp.down_proj.norm.weight"},
}};

}  // namespace

const Architecture kGemma3{
    .name = "gemma3",
    .summary =
        "Gemma 3, text: sliding and global layers, norms around each part; BitNet embedding models of this shape",
    .defaults = &gemma3_defaults,
    .plan = &gemma3_plan,
    .hugging_face_classes = kClasses,
    .describes = nullptr,
    .tensor_names = kNames,
    .read_config = &read_gemma3_config,
    .write_config = &write_gemma3_config,
};

}  // namespace tern::models
