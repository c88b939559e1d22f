// Hyper-parameters as GGUF keys, `{architecture}.*`, both ways.
#include "base/words.hpp"
#include "models/hyper_parameters.hpp"

namespace tern::models {
namespace {

// Reads numbers under "{architecture}.": the error of a wrong type names the key.
class Keys {
 public:
  Keys(const files::Metadata& metadata, std::string_view architecture) : metadata_(metadata), prefix_(architecture) {}

  [[nodiscard]] std::string key(std::string_view name) const { return fmt::format("{}.{}", prefix_, name); }

  [[nodiscard]] Result<void> required(std::string_view name, std::int64_t& out) const {
    auto value = metadata_.get_i64(key(name));
    if (!value && value.error().code == ErrorCode::not_found) {
      return fail(ErrorCode::bad_input, "metadata key {} is missing: this file does not say how its model is shaped",
                  key(name));
    }
    if (!value) return std::unexpected(std::move(value).error());
    out = *value;
    return {};
  }
  [[nodiscard]] Result<void> optional(std::string_view name, std::int64_t& out) const {
    TERN_TRY(const auto value, metadata_.optional_i64(key(name)));
    if (value) out = *value;
    return {};
  }
  [[nodiscard]] Result<void> optional(std::string_view name, float& out) const {
    TERN_TRY(const auto value, metadata_.optional_f32(key(name)));
    if (value) out = *value;
    return {};
  }
  // head_count_kv may be one number or one a layer; layers that differ are not supported.
  [[nodiscard]] Result<void> same_for_all_layers(std::string_view name, std::int64_t& out) const {
    const files::MetaValue* value = metadata_.find(key(name));
    if (value == nullptr || !value->is_array()) return optional(name, out);
    TERN_TRY(const auto list, metadata_.get_i64s(key(name)));
    for (const std::int64_t item : list) {
      if (item != list.front()) {
        return fail(ErrorCode::unsupported,
                    "metadata key {} differs between layers ({} and {}); Tern runs models with equal layers", key(name),
                    list.front(), item);
      }
    }
    if (!list.empty()) out = list.front();
    return {};
  }

 private:
  const files::Metadata& metadata_;
  std::string prefix_;
};

Result<void> read_rope_scaling(const Keys& keys, const files::Metadata& metadata, RopeScaling& scaling) {
  TERN_TRY_DO(keys.optional("rope.scale_linear", scaling.factor));  // how files said it before there were types
  if (scaling.factor != 1.0F) scaling.kind = RopeScaling::Kind::linear;
  TERN_TRY(const auto type, metadata.optional_string(keys.key("rope.scaling.type")));
  if (!type) return {};
  if (*type == "none") {
    scaling = {};
    return {};
  }
  if (*type != "linear" && *type != "yarn") {
    return fail(ErrorCode::unsupported, "{} is \"{}\"; Tern knows none, linear and yarn", keys.key("rope.scaling.type"),
                printable(*type));
  }
  scaling.kind = *type == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::yarn;
  TERN_TRY_DO(keys.optional("rope.scaling.factor", scaling.factor));
  if (scaling.kind == RopeScaling::Kind::linear) return {};
  TERN_TRY_DO(keys.required("rope.scaling.original_context_length", scaling.original_context));
  TERN_TRY_DO(keys.optional("rope.scaling.attn_factor", scaling.attention_factor));
  TERN_TRY_DO(keys.optional("rope.scaling.yarn_attn_factor", scaling.attention_factor));
  TERN_TRY_DO(keys.optional("rope.scaling.yarn_beta_fast", scaling.beta_fast));
  TERN_TRY_DO(keys.optional("rope.scaling.yarn_beta_slow", scaling.beta_slow));
  for (const std::string_view name : {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier"}) {
    if (metadata.contains(keys.key(name))) {
      return fail(ErrorCode::unsupported, "{} is set; Tern has yarn as published, without that factor", keys.key(name));
    }
  }
  return {};
}

// The pattern is a number (every n-th layer sees everything) or a list that says for each layer whether it slides.
Result<void> read_window(const Keys& keys, const files::Metadata& metadata, HyperParameters& p) {
  TERN_TRY_DO(keys.optional("attention.sliding_window", p.window));
  if (p.window <= 0 || p.n_layers < 0 || p.n_layers > kMaxLayers) return {};  // check() names the bad one
  const std::string key = keys.key("attention.sliding_window_pattern");
  const files::MetaValue* pattern = metadata.find(key);
  if (pattern == nullptr) {
    p.windowed = window_pattern(p.n_layers, p.window_period);
  } else if (!pattern->is_array()) {
    TERN_TRY(const std::int64_t period, metadata.get_i64(key));
    if (period < 0) {
      return fail(ErrorCode::bad_input, "{} is {}, expected 0 (all slide) or which layer of a group does not", key,
                  period);
    }
    p.windowed = window_pattern(p.n_layers, period);
  } else if (pattern->element_type() == files::MetaType::boolean) {
    TERN_TRY(const std::vector<bool> flags, metadata.get_bools(key));
    p.windowed.assign(flags.begin(), flags.end());
  } else {
    TERN_TRY(const std::vector<std::int64_t> flags, metadata.get_i64s(key));
    p.windowed.clear();
    for (const std::int64_t flag : flags) p.windowed.push_back(flag != 0 ? 1 : 0);
  }
  if (std::ssize(p.windowed) != p.n_layers) {
    return fail(ErrorCode::bad_input, "{} has {} entries for {} layers", key, p.windowed.size(), p.n_layers);
  }
  TERN_TRY_DO(keys.optional("rope.freq_base_swa", p.rope_base_windowed));
  if (metadata.contains(keys.key("rope.freq_base_swa")) && !(p.rope_base_windowed > 0.0F)) {
    return fail(ErrorCode::bad_input, "{} is {}, expected a positive number", keys.key("rope.freq_base_swa"),
                p.rope_base_windowed);
  }
  return {};
}

Result<void> read_pooling(const Keys& keys, HyperParameters& p) {
  std::int64_t pooling = static_cast<std::int64_t>(p.pooling);
  TERN_TRY_DO(keys.optional("pooling_type", pooling));
  if (pooling < 0 || pooling > static_cast<std::int64_t>(Pooling::last)) {
    return fail(ErrorCode::unsupported, "{} is {}; Tern has 0 (none), 1 (mean), 2 (cls) and 3 (last)",
                keys.key("pooling_type"), pooling);
  }
  p.pooling = static_cast<Pooling>(pooling);
  return {};
}

}  // namespace

Result<HyperParameters> read_hyper_parameters(const files::Metadata& metadata, const TensorFacts& facts,
                                              const HyperParameters& defaults) {
  HyperParameters p = defaults;
  const Keys keys(metadata, p.architecture);
  p.n_vocab = facts.n_vocab;
  std::int64_t stated_vocab = facts.n_vocab;
  TERN_TRY_DO(keys.optional("vocab_size", stated_vocab));
  if (stated_vocab != facts.n_vocab) {
    return fail(ErrorCode::bad_input, "{} says {} but the embedding table has {} rows", keys.key("vocab_size"),
                stated_vocab, facts.n_vocab);
  }
  TERN_TRY_DO(keys.required("embedding_length", p.n_embd));
  TERN_TRY_DO(keys.required("block_count", p.n_layers));
  TERN_TRY_DO(keys.required("context_length", p.n_ctx_train));
  TERN_TRY_DO(keys.required("feed_forward_length", p.n_ff));
  TERN_TRY_DO(keys.required("attention.head_count", p.n_heads));
  p.n_kv_heads = p.n_heads;
  TERN_TRY_DO(keys.same_for_all_layers("attention.head_count_kv", p.n_kv_heads));
  if (p.n_heads < 1 || p.n_heads > 65536) {  // divided by below
    return fail(ErrorCode::bad_input, "{} is {}, expected 1 to 65536", keys.key("attention.head_count"), p.n_heads);
  }
  p.head_dim = p.n_embd / p.n_heads;
  TERN_TRY_DO(keys.optional("attention.key_length", p.head_dim));
  std::int64_t value_length = p.head_dim;
  TERN_TRY_DO(keys.optional("attention.value_length", value_length));
  if (value_length != p.head_dim) {
    return fail(ErrorCode::unsupported,
                "attention.value_length {} differs from attention.key_length {}; Tern runs equal ones", value_length,
                p.head_dim);
  }
  p.n_rotary = p.head_dim;
  TERN_TRY_DO(keys.optional("rope.dimension_count", p.n_rotary));
  TERN_TRY_DO(keys.optional("attention.layer_norm_rms_epsilon", p.norm_eps));
  TERN_TRY_DO(keys.optional("rope.freq_base", p.rope_base));
  TERN_TRY_DO(read_rope_scaling(keys, metadata, p.rope_scaling));
  TERN_TRY_DO(read_window(keys, metadata, p));
  TERN_TRY_DO(keys.optional("attention.scale", p.attention_scale));
  TERN_TRY_DO(keys.optional("attn_logit_softcapping", p.attention_soft_cap));
  TERN_TRY_DO(keys.optional("final_logit_softcapping", p.final_soft_cap));
  TERN_TRY_DO(read_pooling(keys, p));
  TERN_TRY(const auto causal, metadata.optional_bool(keys.key("attention.causal")));
  if (!causal.value_or(true)) {
    return fail(ErrorCode::unsupported, "{} is false; Tern runs models whose tokens see only earlier ones",
                keys.key("attention.causal"));
  }
  // Norms before every projection belong to BitNet-trained models, whose files do not say more.
  p.input_norms = facts.input_norms;
  if (p.input_norms) p.linear_activation = {ActivationPolicy::Mode::per_token, 8};
  TERN_TRY(const auto activation, metadata.optional_string(keys.key("hidden_activation")));
  if (activation) {
    TERN_TRY(p.activation, activation_by_name(*activation));
  }
  TERN_TRY(const auto policy, metadata.optional_string(kPolicyKey));
  if (policy) {
    TERN_TRY(p.linear_activation, policy_by_name(*policy));
  }
  TERN_TRY_DO(check(p));
  return p;
}

void write_hyper_parameters(const HyperParameters& p, files::Metadata& metadata) {
  const auto set = [&](std::string_view name, files::MetaValue value) {
    metadata.set(fmt::format("{}.{}", p.architecture, name), std::move(value));
  };
  const auto u32 = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  set("vocab_size", u32(p.n_vocab));
  set("context_length", u32(p.n_ctx_train));
  set("embedding_length", u32(p.n_embd));
  set("block_count", u32(p.n_layers));
  set("feed_forward_length", u32(p.n_ff));
  set("rope.dimension_count", u32(p.n_rotary));
  set("attention.head_count", u32(p.n_heads));
  set("attention.head_count_kv", u32(p.n_kv_heads));
  if (p.head_dim * p.n_heads != p.n_embd) {
    set("attention.key_length", u32(p.head_dim));
    set("attention.value_length", u32(p.head_dim));
  }
  set("attention.layer_norm_rms_epsilon", p.norm_eps);
  set("rope.freq_base", p.rope_base);
  const RopeScaling& scaling = p.rope_scaling;
  if (scaling.kind != RopeScaling::Kind::none) {
    set("rope.scaling.type", std::string(scaling.kind == RopeScaling::Kind::linear ? "linear" : "yarn"));
    set("rope.scaling.factor", scaling.factor);
  }
  if (scaling.kind == RopeScaling::Kind::yarn) {
    const RopeScaling usual;
    set("rope.scaling.original_context_length", u32(scaling.original_context));
    if (scaling.attention_factor != usual.attention_factor) set("rope.scaling.attn_factor", scaling.attention_factor);
    if (scaling.beta_fast != usual.beta_fast) set("rope.scaling.yarn_beta_fast", scaling.beta_fast);
    if (scaling.beta_slow != usual.beta_slow) set("rope.scaling.yarn_beta_slow", scaling.beta_slow);
  }
  if (p.window > 0) {
    set("attention.sliding_window", u32(p.window));
    if (!p.windowed.empty() && p.windowed != window_pattern(p.n_layers, p.window_period)) {
      set("attention.sliding_window_pattern", std::vector<bool>(p.windowed.begin(), p.windowed.end()));
    }
    if (p.rope_base_windowed != 0.0F) set("rope.freq_base_swa", p.rope_base_windowed);
  }
  if (p.attention_scale != 0.0F) set("attention.scale", p.attention_scale);
  if (p.attention_soft_cap != 0.0F) set("attn_logit_softcapping", p.attention_soft_cap);
  if (p.final_soft_cap != 0.0F) set("final_logit_softcapping", p.final_soft_cap);
  if (p.pooling != Pooling::none) set("pooling_type", static_cast<std::uint32_t>(p.pooling));
  set("hidden_activation", std::string(activation_name(p.activation)));
  metadata.set(kPolicyKey, policy_name(p.linear_activation));
}

}  // namespace tern::models
