// LLaMA (arXiv 2302.13971) and what shares its graph: pre-norm RMSNorm, rotary attention with grouped keys and values,
// SwiGLU, no biases unless the file has them. Also BitNet-trained models in LLaMA's shape (Falcon3-1.58,
// Llama3-8B-1.58): the same plan with the per-token policy. GGUF stores query and key rows so that rotary pairs are
// adjacent. Layers slide where the file has a window (Mistral).
#include <array>

#include "models/all.hpp"
#include "models/decoder.hpp"

namespace tern::models {
namespace {

Plan llama_plan(const HyperParameters& p) {
  Decoder d(p, RopeStep::Pairing::adjacent);
  ValueId x = d.embed();
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    d.begin_layer(layer);
    const ValueId attn_norm = d.norm("attn_norm", x, "attn_norm");
    const ValueId q = d.linear("q", attn_norm, "attn_q", d.q_width(), Bias::if_present);
    const ValueId k = d.linear("k", attn_norm, "attn_k", d.kv_width(), Bias::if_present);
    const ValueId v = d.linear("v", attn_norm, "attn_v", d.kv_width(), Bias::if_present);
    const ValueId mixed = d.attend(d.rotate("q_rot", q), d.rotate("k_rot", k), v);
    x = d.add("x_attn", x, d.linear("attn_out", mixed, "attn_output", p.n_embd, Bias::if_present));
    const ValueId ffn_norm = d.norm("ffn_norm", x, "ffn_norm");
    const ValueId gate = d.linear("gate", ffn_norm, "ffn_gate", p.n_ff);
    const ValueId up = d.linear("up", ffn_norm, "ffn_up", p.n_ff);
    x = d.add("x", x, d.linear("down", d.glu(gate, up), "ffn_down", p.n_embd));
  }
  return d.finish(x);
}

HyperParameters llama_defaults() {
  return {};
}

// Layers that slide make it another class.
Result<void> write_llama_config(const HfModel& model, HfJsonWriter& out) {
  if (model.config.parameters.window > 0) return kMistral.write_config(model, out);
  constexpr std::string_view kClass = "LlamaForCausalLM";
  if (model.qkv_biases != model.output_biases)
    return refuse_for_class(model, kClass, "biases on some of its attention's projections");
  return write_decoder_config(model, kClass, "llama", out);
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
    .write_config = &write_llama_config,
};

}  // namespace tern::models
