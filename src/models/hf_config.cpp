#include "models/hf_config.hpp"

#include <algorithm>
#include <cmath>

#include "base/words.hpp"
#include "files/weight_transform.hpp"
#include "models/all.hpp"
#include "models/hf_json.hpp"

namespace tern::models {
namespace {

// A norm inside every linear, before its activations are rounded.
Result<void> read_input_norms(const HfJson& section, HyperParameters& p) {
  TERN_TRY(p.input_norms, section.flag_or("use_rms_norm", false));
  if (!p.input_norms) return {};
  float eps = 1e-6F;
  TERN_TRY_DO(section.number("rms_norm_eps", eps));
  if (eps == p.norm_eps) return {};
  return fail(ErrorCode::unsupported,
              "config.json: quantization_config.rms_norm_eps is {} and rms_norm_eps {}; Tern has one for all norms",
              eps, p.norm_eps);
}

Result<BitNetStorage> read_storage(const HfJson& config, HyperParameters& p) {
  TERN_TRY(const auto q, config.object("quantization_config"));
  if (!q) return BitNetStorage::none;
  TERN_TRY(const std::string method, q->text_or("quant_method", ""));
  if (method != "bitnet") {
    return fail(ErrorCode::unsupported,
                "config.json: quantization method \"{}\" is not supported; Tern converts float and bitnet checkpoints",
                printable(method));
  }
  TERN_TRY_DO(read_input_norms(*q, p));
  TERN_TRY(const std::string mode, q->text_or("quantization_mode", "offline"));
  TERN_TRY(const std::string linear, q->text_or("linear_class", "bitlinear"));
  if (mode == "online") return BitNetStorage::online_masters;
  if (mode != "offline")
    return fail(ErrorCode::unsupported, "config.json: quantization_mode \"{}\", expected online or offline",
                printable(mode));
  if (linear == "autobitlinear") return BitNetStorage::packed_multiply;
  if (linear == "bitlinear") return BitNetStorage::packed_divide;
  return fail(ErrorCode::unsupported, "config.json: linear_class \"{}\", expected bitlinear or autobitlinear",
              printable(linear));
}

// A number that a configuration must have, unless its architecture implies one.
Result<void> needed(const HfJson& config, const char* key, std::int64_t& out) {
  return out == 0 ? config.required(key, out) : config.integer(key, out);
}

Result<void> read_yarn(const HfJson& section, HyperParameters& p) {
  RopeScaling& s = p.rope_scaling;
  TERN_TRY(const bool truncate, section.flag_or("truncate", true));
  if (!truncate)
    return fail(ErrorCode::unsupported, "config.json: yarn rope scaling with truncate = false is not supported");
  for (const char* key : {"mscale", "mscale_all_dim"}) {
    if (section.has(key)) {
      return fail(ErrorCode::unsupported, "config.json: {} of yarn rope scaling is not supported", key);
    }
  }
  TERN_TRY_DO(section.integer("original_max_position_embeddings", s.original_context));
  if (s.original_context == 0) s.original_context = p.n_ctx_train;
  TERN_TRY_DO(section.number("beta_fast", s.beta_fast));
  TERN_TRY_DO(section.number("beta_slow", s.beta_slow));
  // Checkpoints state the whole factor, files of this field what stands beside the paper's.
  float whole = 0.0F;
  TERN_TRY_DO(section.number("attention_factor", whole));
  if (whole != 0.0F && s.factor > 1.0F) {
    s.attention_factor = static_cast<float>(static_cast<double>(whole) / (1.0 + 0.1 * std::log(s.factor)));
  }
  return {};
}

Result<void> read_llama3(const HfJson& section, HfConfig& out) {
  Llama3Rope rule;
  TERN_TRY_DO(section.number("factor", rule.factor));
  TERN_TRY_DO(section.number("low_freq_factor", rule.low_freq_factor));
  TERN_TRY_DO(section.number("high_freq_factor", rule.high_freq_factor));
  TERN_TRY_DO(section.integer("original_max_position_embeddings", rule.original_context));
  if (rule.original_context == 0) rule.original_context = out.parameters.n_ctx_train;
  if (!(rule.original_context > 0 && rule.factor > 0.0F && rule.low_freq_factor > 0.0F &&
        rule.high_freq_factor > rule.low_freq_factor)) {
    return fail(ErrorCode::bad_input,
                "config.json: llama3 rope scaling needs a positive factor, an original context and low < high factors, "
                "got {}, {}, {}, {}",
                rule.factor, rule.original_context, rule.low_freq_factor, rule.high_freq_factor);
  }
  out.llama3_rope = rule;
  return {};
}

// Weights that were rotated need a counterpart in the activations, which no class of models here has.
Result<void> refuse_transforms(const nlohmann::json& object) {
  for (const auto& [key, value] : object.items()) {
    const bool is_off = value.is_null() || (value.is_boolean() && !value.get<bool>());
    if (is_off || !files::names_weight_transform(key)) continue;
    return files::refuse_weight_transform("config.json: ", key);
  }
  return {};
}

// The object that holds the model of text: all of it, or a part where the model also sees pictures.
Result<HfJson> text_part(const HfJson& config, const std::string& class_name) {
  if (!class_name.ends_with("ForConditionalGeneration")) return config;
  TERN_TRY(const auto part, config.object("text_config"));
  return part.value_or(config);
}

}  // namespace

Result<void> read_activation(const HfJson& config, const char* key, HyperParameters& p) {
  TERN_TRY(const std::string name, config.text_or(key, ""));
  if (name.empty()) return {};
  // Files of this field call the approximation "gelu", checkpoints the exact function.
  if (name == "gelu") {
    return fail(ErrorCode::unsupported,
                "config.json: {} is gelu, the exact one; Tern has gelu_pytorch_tanh, which differs by 1e-3", key);
  }
  auto function = activation_by_name(name);
  if (!function) return in_context(fmt::format("config.json: {}", key), std::move(function).error());
  p.activation = *function;
  return {};
}

Result<void> read_rope_section(const HfJson& section, HfConfig& out) {
  HyperParameters& p = out.parameters;
  TERN_TRY_DO(section.number("rope_theta", p.rope_base));
  TERN_TRY(const std::string older, section.text_or("type", "default"));
  TERN_TRY(const std::string type, section.text_or("rope_type", older));
  if (type == "default") return {};
  if (type == "llama3") return read_llama3(section, out);
  if (type != "linear" && type != "yarn") {
    return fail(ErrorCode::unsupported,
                "config.json: rope scaling \"{}\" is not supported; Tern has default, linear, yarn and llama3",
                printable(type));
  }
  p.rope_scaling.kind = type == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::yarn;
  TERN_TRY_DO(section.number("factor", p.rope_scaling.factor));
  return type == "yarn" ? read_yarn(section, p) : Result<void>{};
}

Result<void> read_layer_types(const HfJson& config, HyperParameters& p) {
  TERN_TRY(const auto types, config.texts("layer_types"));
  if (!types) return {};
  p.windowed.clear();
  for (const std::string& type : *types) {
    if (type != "sliding_attention" && type != "full_attention") {
      return fail(ErrorCode::unsupported,
                  "config.json: layer_types has \"{}\"; Tern runs full_attention and sliding_attention layers",
                  printable(type));
    }
    p.windowed.push_back(type == "sliding_attention" ? 1 : 0);
  }
  if (std::ssize(p.windowed) != p.n_layers) {  // none at all would otherwise mean that all slide
    return fail(ErrorCode::bad_input, "config.json: layer_types has {} entries for {} layers", p.windowed.size(),
                p.n_layers);
  }
  return {};
}

Result<void> read_decoder_config(const HfJson& config, HfConfig& out) {
  HyperParameters& p = out.parameters;
  TERN_TRY_DO(needed(config, "vocab_size", p.n_vocab));
  TERN_TRY_DO(needed(config, "hidden_size", p.n_embd));
  TERN_TRY_DO(needed(config, "num_hidden_layers", p.n_layers));
  TERN_TRY_DO(needed(config, "intermediate_size", p.n_ff));
  TERN_TRY_DO(needed(config, "num_attention_heads", p.n_heads));
  TERN_TRY_DO(needed(config, "max_position_embeddings", p.n_ctx_train));
  if (p.n_heads <= 0)
    return fail(ErrorCode::bad_input, "config.json: num_attention_heads is {}, expected at least 1", p.n_heads);
  if (p.n_kv_heads == 0) p.n_kv_heads = p.n_heads;
  TERN_TRY_DO(config.integer("num_key_value_heads", p.n_kv_heads));
  if (p.head_dim == 0) p.head_dim = p.n_embd / p.n_heads;
  TERN_TRY_DO(config.integer("head_dim", p.head_dim));
  p.n_rotary = p.head_dim;
  float rotated = 1.0F;
  TERN_TRY_DO(config.number("partial_rotary_factor", rotated));
  if (rotated != 1.0F) {
    return fail(ErrorCode::unsupported,
                "config.json: partial_rotary_factor is {}; Tern converts models whose heads are rotated whole",
                rotated);
  }
  p.norm_eps = 1e-6F;  // what the published classes take where nothing is said
  TERN_TRY_DO(config.number("rms_norm_eps", p.norm_eps));
  // rope_theta and rope_scaling, or the newer rope_parameters that holds both.
  TERN_TRY_DO(config.number("rope_theta", p.rope_base));
  TERN_TRY(auto rope, config.object("rope_parameters"));
  TERN_TRY(const auto older_rope, config.object("rope_scaling"));
  if (rope && older_rope) {
    return fail(ErrorCode::bad_input,
                "config.json: has both rope_parameters and rope_scaling, which one counts is not said: put the scaling "
                "into rope_parameters, or take that out");
  }
  if (!rope) rope = older_rope;
  if (rope) TERN_TRY_DO(read_rope_section(*rope, out));
  TERN_TRY_DO(read_activation(config, "hidden_act", p));
  TERN_TRY(out.storage, read_storage(config, p));
  const bool is_bitnet = out.storage != BitNetStorage::none || out.model_type == "bitnet";
  if (is_bitnet) p.linear_activation = {ActivationPolicy::Mode::per_token, 8};
  TERN_TRY(out.tied_embeddings, config.flag_or("tie_word_embeddings", is_bitnet || out.tied_embeddings));
  return {};
}

Result<HfConfig> read_hf_config(std::span<const std::byte> text, ArchitectureList architectures) {
  TERN_TRY(const nlohmann::json whole, files::parse_json(text, "config.json"));
  if (!whole.is_object())
    return fail(ErrorCode::bad_input, "config.json: is {}, expected an object", whole.type_name());
  HfConfig out;
  const HfJson root(whole);
  const nlohmann::json* classes = root.find("architectures");
  if (classes == nullptr || !classes->is_array() || classes->empty() || !classes->front().is_string()) {
    return fail(ErrorCode::bad_input,
                "config.json: architectures is missing; it must name the model class, e.g. [\"LlamaForCausalLM\"]");
  }
  out.class_name = classes->front().get<std::string>();
  TERN_TRY_DO(refuse_transforms(whole));
  for (const char* part : {"text_config", "quantization_config"}) {
    TERN_TRY(const auto object, root.object(part));
    if (object) TERN_TRY_DO(refuse_transforms(*root.find(part)));
  }
  TERN_TRY(out.model_type, root.text_or("model_type", ""));
  TERN_TRY(const HfJson config, text_part(root, out.class_name));
  const auto named = std::ranges::find_if(architectures, [&](const Architecture* architecture) {
    return std::ranges::find(architecture->hugging_face_classes, out.class_name) !=
           architecture->hugging_face_classes.end();
  });
  if (named == architectures.end()) {
    TERN_TRY_DO(for_config(out, architectures));  // its refusal lists the classes there are
  }
  TERN_TRY_DO((*named)->read_config != nullptr ? (*named)->read_config(config, out) : read_decoder_config(config, out));
  auto checked = check(out.parameters);
  if (!checked) return in_context("config.json", std::move(checked).error());
  return out;
}

Result<HfConfig> read_hf_config(std::span<const std::byte> text) {
  return read_hf_config(text, all());
}

}  // namespace tern::models
