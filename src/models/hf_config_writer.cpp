#include "models/hf_config_writer.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "models/all.hpp"
#include "models/hf_json_writer.hpp"

namespace tern::models {
namespace {

// Checkpoints state the whole factor; ours stands beside the paper's. Reading divides the two again: among the
// neighbours of the product one mostly gives back the very number.
float whole_attention_factor(const RopeScaling& s) {
  const double own = 1.0 + 0.1 * std::log(static_cast<double>(s.factor));
  const auto product = static_cast<float>(static_cast<double>(s.attention_factor) * own);
  for (const float whole : {product, std::nextafter(product, 0.0F), std::nextafter(product, 2.0F * product)}) {
    if (static_cast<float>(static_cast<double>(whole) / (1.0 + 0.1 * std::log(s.factor))) == s.attention_factor)
      return whole;
  }
  return product;
}

void write_rope(const HfConfig& config, HfJsonWriter& out) {
  const HyperParameters& p = config.parameters;
  const RopeScaling& s = p.rope_scaling;
  out.number("rope_theta", p.rope_base);
  HfJsonWriter section;
  if (config.llama3_rope) {
    section.text("rope_type", "llama3");
    section.number("factor", config.llama3_rope->factor);
    section.number("low_freq_factor", config.llama3_rope->low_freq_factor);
    section.number("high_freq_factor", config.llama3_rope->high_freq_factor);
    section.integer("original_max_position_embeddings", config.llama3_rope->original_context);
  } else if (s.kind == RopeScaling::Kind::linear) {
    section.text("rope_type", "linear");
    section.number("factor", s.factor);
  } else if (s.kind == RopeScaling::Kind::yarn) {
    const RopeScaling usual;
    section.text("rope_type", "yarn");
    section.number("factor", s.factor);
    section.integer("original_max_position_embeddings", s.original_context);
    if (s.attention_factor != usual.attention_factor) section.number("attention_factor", whole_attention_factor(s));
    if (s.beta_fast != usual.beta_fast) section.number("beta_fast", s.beta_fast);
    if (s.beta_slow != usual.beta_slow) section.number("beta_slow", s.beta_slow);
  } else {
    return;
  }
  out.object("rope_scaling", section);
}

void write_storage(const HfConfig& config, HfJsonWriter& out) {
  const BitNetStorage storage = config.storage;
  if (storage == BitNetStorage::none) return;
  HfJsonWriter section;
  section.text("quant_method", "bitnet");
  section.text("linear_class", storage == BitNetStorage::packed_divide ? "bitlinear" : "autobitlinear");
  section.text("quantization_mode", storage == BitNetStorage::online_masters ? "online" : "offline");
  section.null("modules_to_not_convert");  // all linears but the head
  if (config.parameters.input_norms) {
    section.flag("use_rms_norm", true);
    section.number("rms_norm_eps", config.parameters.norm_eps);
  }
  out.object("quantization_config", section);
}

// The first thing that is set and that no class says in the keys they share.
std::string_view unsaid(const HfModel& model) {
  const HyperParameters& p = model.config.parameters;
  const std::array<std::pair<bool, std::string_view>, 8> things{
      {{p.window > 0, "a sliding window"},
       {p.attention_scale != 0.0F, "a scale of its attention scores"},
       {p.attention_soft_cap != 0.0F, "a soft cap of its attention scores"},
       {p.final_soft_cap != 0.0F, "a soft cap of its logits"},
       {p.n_rotary != p.head_dim, "heads that are rotated in part"},
       {p.input_norms && model.config.storage == BitNetStorage::none,
        "a norm before every projection, but activations that are not rounded"},
       {p.pooling != Pooling::none, "pooling instead of a head"},
       {p.linear_activation.mode == ActivationPolicy::Mode::per_token && p.linear_activation.bits != 8,
        "activations of other than 8 bits"}}};
  for (const auto& [is_set, what] : things) {
    if (is_set) return what;
  }
  return {};
}

}  // namespace

std::unexpected<Error> refuse_for_class(const HfModel& model, std::string_view class_name, std::string_view what) {
  return fail(ErrorCode::unsupported, "{} with {}: transformers' {} does not compute that; export to GGUF instead",
              model.config.parameters.architecture, what, class_name);
}

std::string_view hf_activation_name(Unary function) {
  return function == Unary::gelu_tanh ? "gelu_pytorch_tanh" : activation_name(function);
}

void write_layer_types(const HyperParameters& p, HfJsonWriter& out) {
  std::vector<std::string> types;
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer)
    types.emplace_back(p.is_windowed(layer) ? "sliding_attention" : "full_attention");
  out.texts("layer_types", std::move(types));
}

Result<void> write_decoder_config(const HfModel& model, std::string_view class_name, std::string_view model_type,
                                  HfJsonWriter& out) {
  const HyperParameters& p = model.config.parameters;
  if (const std::string_view what = unsaid(model); !what.empty()) return refuse_for_class(model, class_name, what);
  out.texts("architectures", {std::string(class_name)});
  out.text("model_type", model_type);
  out.integer("vocab_size", p.n_vocab);
  out.integer("hidden_size", p.n_embd);
  out.integer("intermediate_size", p.n_ff);
  out.integer("num_hidden_layers", p.n_layers);
  out.integer("num_attention_heads", p.n_heads);
  out.integer("num_key_value_heads", p.n_kv_heads);
  out.integer("head_dim", p.head_dim);
  out.text("hidden_act", hf_activation_name(p.activation));
  out.integer("max_position_embeddings", p.n_ctx_train);
  out.number("rms_norm_eps", p.norm_eps);
  write_rope(model.config, out);
  out.flag("tie_word_embeddings", model.config.tied_embeddings);
  out.flag("attention_bias", model.output_biases);
  return {};
}

Result<std::string> write_hf_config(const Architecture& architecture, const HfModel& model) {
  if (architecture.write_config == nullptr) {
    return fail(ErrorCode::unsupported, "architecture {} has no class in transformers; export to GGUF instead",
                architecture.name);
  }
  HfJsonWriter out;
  TERN_TRY_DO(architecture.write_config(model, out));
  out.integer_or_null("bos_token_id", model.bos);
  out.integer_or_null("eos_token_id", model.eos);
  if (model.pad) out.integer("pad_token_id", *model.pad);
  out.text("torch_dtype", model.dtype);
  write_storage(model.config, out);
  return out.text();
}

}  // namespace tern::models
