#include "models/hyper_parameters.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/words.hpp"

namespace tern::models {
namespace {

constexpr std::array<std::pair<std::string_view, Unary>, 3> kActivations{
    {{"silu", Unary::silu}, {"relu2", Unary::relu2}, {"gelu", Unary::gelu_tanh}}};

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
  TERN_TRY(const auto type, metadata.optional_string(keys.key("rope.scaling.type")));
  if (!type || *type == "none") return {};
  if (*type != "linear") {
    return fail(ErrorCode::unsupported, "{} is \"{}\"; Tern knows none and linear", keys.key("rope.scaling.type"),
                printable(*type));
  }
  scaling.kind = RopeScaling::Kind::linear;
  return keys.optional("rope.scaling.factor", scaling.factor);
}

Result<void> in_range(std::string_view name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return fail(ErrorCode::bad_input, "{} is {}, expected {} to {}", name, value, low, high);
}

}  // namespace

std::string_view activation_name(Unary function) {
  for (const auto& [name, unary] : kActivations) {
    if (unary == function) return name;
  }
  return "?";
}

Result<Unary> activation_by_name(std::string_view name) {
  for (const auto& [known, unary] : kActivations) {
    if (known == name) return unary;
  }
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Unary::gelu_tanh;
  if (name == "swish") return Unary::silu;
  return fail(ErrorCode::unsupported, "activation function \"{}\" is not known; Tern has silu, relu2 and gelu",
              printable(name));
}

std::string policy_name(const ActivationPolicy& policy) {
  switch (policy.mode) {
    case ActivationPolicy::Mode::partner:
      return "format";
    case ActivationPolicy::Mode::none:
      return "float";
    case ActivationPolicy::Mode::per_token:
      return fmt::format("int{}_per_token", policy.bits);
  }
  return "format";
}

Result<ActivationPolicy> policy_by_name(std::string_view name) {
  if (name == "format") return ActivationPolicy{ActivationPolicy::Mode::partner, 8};
  if (name == "float") return ActivationPolicy{ActivationPolicy::Mode::none, 8};
  if (name == "int8_per_token") return ActivationPolicy{ActivationPolicy::Mode::per_token, 8};
  return fail(ErrorCode::unsupported, "{} is \"{}\"; Tern knows format, float and int8_per_token", kPolicyKey,
              printable(name));
}

Result<HyperParameters> read_hyper_parameters(const files::Metadata& metadata, std::int64_t n_vocab,
                                              const HyperParameters& defaults) {
  HyperParameters p = defaults;
  const Keys keys(metadata, p.architecture);
  p.n_vocab = n_vocab;
  std::int64_t stated_vocab = n_vocab;
  TERN_TRY_DO(keys.optional("vocab_size", stated_vocab));
  if (stated_vocab != n_vocab) {
    return fail(ErrorCode::bad_input, "{} says {} but the embedding table has {} rows", keys.key("vocab_size"),
                stated_vocab, n_vocab);
  }
  TERN_TRY_DO(keys.required("embedding_length", p.n_embd));
  TERN_TRY_DO(keys.required("block_count", p.n_layers));
  TERN_TRY_DO(keys.required("context_length", p.n_ctx_train));
  TERN_TRY_DO(keys.required("feed_forward_length", p.n_ff));
  TERN_TRY_DO(keys.required("attention.head_count", p.n_heads));
  p.n_kv_heads = p.n_heads;
  TERN_TRY_DO(keys.same_for_all_layers("attention.head_count_kv", p.n_kv_heads));
  TERN_TRY_DO(in_range(keys.key("attention.head_count"), p.n_heads, 1, 65536));
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
  if (p.rope_scaling.kind == RopeScaling::Kind::linear) {
    set("rope.scaling.type", std::string("linear"));
    set("rope.scaling.factor", p.rope_scaling.factor);
  }
  set("hidden_activation", std::string(activation_name(p.activation)));
  metadata.set(kPolicyKey, policy_name(p.linear_activation));
}

Result<void> check(const HyperParameters& p) {
  TERN_TRY_DO(in_range("vocabulary size", p.n_vocab, 1, std::int64_t{1} << 24));
  TERN_TRY_DO(in_range("embedding length", p.n_embd, 1, std::int64_t{1} << 20));
  TERN_TRY_DO(in_range("block count", p.n_layers, 1, 4096));
  TERN_TRY_DO(in_range("context length", p.n_ctx_train, 1, std::int64_t{1} << 30));
  TERN_TRY_DO(in_range("feed-forward length", p.n_ff, 1, std::int64_t{1} << 22));
  TERN_TRY_DO(in_range("number of heads", p.n_heads, 1, 65536));
  TERN_TRY_DO(in_range("number of key/value heads", p.n_kv_heads, 1, p.n_heads));
  TERN_TRY_DO(in_range("head dimension", p.head_dim, 1, 65536));
  // One product's inputs are summed in 32 bits as int8 codes.
  TERN_TRY_DO(in_range("heads times head dimension", p.n_heads * p.head_dim, 1, std::int64_t{1} << 22));
  TERN_TRY_DO(in_range("rotary dimension", p.n_rotary, 0, p.head_dim));
  if (p.n_rotary % 2 != 0)
    return fail(ErrorCode::bad_input, "rotary dimension is {}, expected an even number", p.n_rotary);
  if (p.n_heads % p.n_kv_heads != 0) {
    return fail(ErrorCode::bad_input, "{} heads do not divide among {} key/value heads", p.n_heads, p.n_kv_heads);
  }
  if (!std::isfinite(p.norm_eps) || p.norm_eps < 0.0F)
    return fail(ErrorCode::bad_input, "norm epsilon is {}", p.norm_eps);
  if (!std::isfinite(p.rope_base) || p.rope_base <= 0.0F)
    return fail(ErrorCode::bad_input, "rope base is {}", p.rope_base);
  const RopeScaling& s = p.rope_scaling;
  if (s.kind != RopeScaling::Kind::none && !(std::isfinite(s.factor) && s.factor > 0.0F)) {
    return fail(ErrorCode::bad_input, "rope scaling factor is {}, expected a positive number", s.factor);
  }
  if (s.kind == RopeScaling::Kind::llama3 &&
      !(s.original_context > 0 && s.low_freq_factor > 0.0F && s.high_freq_factor > s.low_freq_factor)) {
    return fail(ErrorCode::bad_input,
                "llama3 rope scaling needs an original context and low < high factors, got {}, {}, {}",
                s.original_context, s.low_freq_factor, s.high_freq_factor);
  }
  return {};
}

}  // namespace tern::models
