#include "models/hf_config.hpp"

#include <array>
#include <cmath>

#include "base/words.hpp"
#include "files/json.hpp"

namespace tern::models {
namespace {

using nlohmann::json;

const json* member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<std::int64_t>> integer(const json& object, const char* key) {
  const json* value = member(object, key);
  if (value == nullptr) return std::optional<std::int64_t>{};
  if (!value->is_number_integer())
    return fail(ErrorCode::bad_input, "config.json: {} is {}, expected an integer", key, value->type_name());
  if (value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{1} << 62) {
    return fail(ErrorCode::bad_input, "config.json: {} is {}, too large", key, value->get<std::uint64_t>());
  }
  return std::optional<std::int64_t>{value->get<std::int64_t>()};
}

Result<void> required(const json& object, const char* key, std::int64_t& out) {
  TERN_TRY(const auto value, integer(object, key));
  if (!value) return fail(ErrorCode::bad_input, "config.json: {} is missing", key);
  out = *value;
  return {};
}

Result<void> number(const json& object, const char* key, float& out) {
  const json* value = member(object, key);
  if (value == nullptr) return {};
  if (!value->is_number())
    return fail(ErrorCode::bad_input, "config.json: {} is {}, expected a number", key, value->type_name());
  out = value->get<float>();
  return {};
}

Result<std::string> text_or(const json& object, const char* key, std::string fallback) {
  const json* value = member(object, key);
  if (value == nullptr) return fallback;
  if (!value->is_string())
    return fail(ErrorCode::bad_input, "config.json: {} is {}, expected a string", key, value->type_name());
  return value->get<std::string>();
}

Result<bool> flag_or(const json& object, const char* key, bool fallback) {
  const json* value = member(object, key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean())
    return fail(ErrorCode::bad_input, "config.json: {} is {}, expected true or false", key, value->type_name());
  return value->get<bool>();
}

// rope_theta + rope_scaling, or the newer rope_parameters that holds both.
Result<void> read_rope(const json& config, HyperParameters& p) {
  TERN_TRY_DO(number(config, "rope_theta", p.rope_base));
  const json* scaling = member(config, "rope_parameters");
  if (scaling == nullptr) scaling = member(config, "rope_scaling");
  if (scaling == nullptr) return {};
  if (!scaling->is_object())
    return fail(ErrorCode::bad_input, "config.json: rope_scaling is {}, expected an object", scaling->type_name());
  TERN_TRY_DO(number(*scaling, "rope_theta", p.rope_base));
  TERN_TRY(const std::string older, text_or(*scaling, "type", "default"));
  TERN_TRY(const std::string type, text_or(*scaling, "rope_type", older));
  if (type == "default") return {};
  if (type != "linear" && type != "llama3") {
    return fail(ErrorCode::unsupported,
                "config.json: rope scaling \"{}\" is not supported; Tern has default, linear and llama3",
                printable(type));
  }
  RopeScaling& s = p.rope_scaling;
  s.kind = type == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
  TERN_TRY_DO(number(*scaling, "factor", s.factor));
  TERN_TRY_DO(number(*scaling, "low_freq_factor", s.low_freq_factor));
  TERN_TRY_DO(number(*scaling, "high_freq_factor", s.high_freq_factor));
  TERN_TRY(const auto original, integer(*scaling, "original_max_position_embeddings"));
  s.original_context = original.value_or(p.n_ctx_train);
  return {};
}

Result<BitNetStorage> read_storage(const json& config) {
  const json* q = member(config, "quantization_config");
  if (q == nullptr) return BitNetStorage::none;
  if (!q->is_object())
    return fail(ErrorCode::bad_input, "config.json: quantization_config is {}, expected an object", q->type_name());
  TERN_TRY(const std::string method, text_or(*q, "quant_method", ""));
  if (method != "bitnet") {
    return fail(ErrorCode::unsupported,
                "config.json: quantization method \"{}\" is not supported; Tern converts float and bitnet checkpoints",
                printable(method));
  }
  TERN_TRY(const bool has_inner_norm, flag_or(*q, "use_rms_norm", false));
  if (has_inner_norm) {
    return fail(ErrorCode::unsupported,
                "config.json: quantization_config.use_rms_norm = true (a norm inside every linear) is not supported");
  }
  TERN_TRY(const std::string mode, text_or(*q, "quantization_mode", "offline"));
  TERN_TRY(const std::string linear, text_or(*q, "linear_class", "bitlinear"));
  if (mode == "online") return BitNetStorage::online_masters;
  if (mode != "offline")
    return fail(ErrorCode::unsupported, "config.json: quantization_mode \"{}\", expected online or offline",
                printable(mode));
  if (linear == "autobitlinear") return BitNetStorage::packed_multiply;
  if (linear == "bitlinear") return BitNetStorage::packed_divide;
  return fail(ErrorCode::unsupported, "config.json: linear_class \"{}\", expected bitlinear or autobitlinear",
              printable(linear));
}

// bos_token_id may be one id or a list (several end-of-text tokens): the first counts.
Result<std::optional<std::int64_t>> token_id(const json& config, const char* key) {
  const json* value = member(config, key);
  if (value != nullptr && value->is_array() && !value->empty() && value->front().is_number_integer()) {
    return std::optional<std::int64_t>{value->front().get<std::int64_t>()};
  }
  if (value != nullptr && value->is_array()) return std::optional<std::int64_t>{};
  return integer(config, key);
}

}  // namespace

Result<HfConfig> read_hf_config(std::span<const std::byte> text) {
  TERN_TRY(const json config, files::parse_json(text, "config.json"));
  if (!config.is_object())
    return fail(ErrorCode::bad_input, "config.json: is {}, expected an object", config.type_name());
  HfConfig out;
  const json* classes = member(config, "architectures");
  if (classes == nullptr || !classes->is_array() || classes->empty() || !classes->front().is_string()) {
    return fail(ErrorCode::bad_input,
                "config.json: architectures is missing; it must name the model class, e.g. [\"LlamaForCausalLM\"]");
  }
  out.class_name = classes->front().get<std::string>();
  TERN_TRY(out.model_type, text_or(config, "model_type", ""));

  HyperParameters& p = out.parameters;
  TERN_TRY_DO(required(config, "vocab_size", p.n_vocab));
  TERN_TRY_DO(required(config, "hidden_size", p.n_embd));
  TERN_TRY_DO(required(config, "num_hidden_layers", p.n_layers));
  TERN_TRY_DO(required(config, "intermediate_size", p.n_ff));
  TERN_TRY_DO(required(config, "num_attention_heads", p.n_heads));
  TERN_TRY_DO(required(config, "max_position_embeddings", p.n_ctx_train));
  if (p.n_heads <= 0)
    return fail(ErrorCode::bad_input, "config.json: num_attention_heads is {}, expected at least 1", p.n_heads);
  TERN_TRY(const auto kv_heads, integer(config, "num_key_value_heads"));
  p.n_kv_heads = kv_heads.value_or(p.n_heads);
  TERN_TRY(const auto head_dim, integer(config, "head_dim"));
  p.head_dim = head_dim.value_or(p.n_embd / p.n_heads);
  p.n_rotary = p.head_dim;
  float rotated = 1.0F;
  TERN_TRY_DO(number(config, "partial_rotary_factor", rotated));
  if (rotated != 1.0F) {
    return fail(ErrorCode::unsupported,
                "config.json: partial_rotary_factor is {}; Tern converts models whose heads are rotated whole",
                rotated);
  }
  p.norm_eps = 1e-6F;  // transformers' default of LlamaConfig
  TERN_TRY_DO(number(config, "rms_norm_eps", p.norm_eps));
  TERN_TRY_DO(read_rope(config, p));
  TERN_TRY(const std::string activation, text_or(config, "hidden_act", "silu"));
  auto function = activation_by_name(activation);
  if (!function) return in_context("config.json: hidden_act", std::move(function).error());
  p.activation = *function;
  TERN_TRY(out.storage, read_storage(config));
  const bool is_bitnet = out.storage != BitNetStorage::none || out.model_type == "bitnet";
  if (is_bitnet) p.linear_activation = {ActivationPolicy::Mode::per_token, 8};
  TERN_TRY(out.tied_embeddings, flag_or(config, "tie_word_embeddings", is_bitnet));
  TERN_TRY(out.bos_token_id, token_id(config, "bos_token_id"));
  TERN_TRY(out.eos_token_id, token_id(config, "eos_token_id"));
  auto checked = check(p);
  if (!checked) return in_context("config.json", std::move(checked).error());
  return out;
}

}  // namespace tern::models
