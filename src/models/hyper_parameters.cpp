#include "models/hyper_parameters.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/words.hpp"

namespace tern::models {
namespace {

constexpr std::array<std::pair<std::string_view, Unary>, 3> kActivations{
    {{"silu", Unary::silu}, {"relu2", Unary::relu2}, {"gelu", Unary::gelu_tanh}}};
constexpr std::array<std::pair<std::string_view, Pooling>, 3> kPoolings{
    {{"mean", Pooling::mean}, {"cls", Pooling::cls}, {"last", Pooling::last}}};

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
  if (name == "int4_per_token") return ActivationPolicy{ActivationPolicy::Mode::per_token, 4};
  return fail(ErrorCode::unsupported, "{} is \"{}\"; Tern knows format, float, int8_per_token and int4_per_token",
              kPolicyKey, printable(name));
}

std::vector<std::uint8_t> window_pattern(std::int64_t n_layers, std::int64_t period) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(n_layers), 1);
  if (period <= 0) return out;
  for (std::int64_t i = period - 1; i < n_layers; i += period) out[static_cast<std::size_t>(i)] = 0;
  return out;
}

std::string_view pooling_name(Pooling pooling) {
  for (const auto& [name, kind] : kPoolings) {
    if (kind == pooling) return name;
  }
  return "none";
}

std::vector<std::string> pooling_names() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kPoolings) names.emplace_back(name);
  return names;
}

Result<Pooling> pooling_by_name(std::string_view name) {
  for (const auto& [known, kind] : kPoolings) {
    if (equal_ignoring_case(known, name)) return kind;
  }
  return fail(ErrorCode::unsupported, "pooling \"{}\" is not known; Tern has mean, cls and last", printable(name));
}

Result<void> check(const HyperParameters& p) {
  TERN_TRY_DO(in_range("vocabulary size", p.n_vocab, 1, std::int64_t{1} << 24));
  TERN_TRY_DO(in_range("embedding length", p.n_embd, 1, std::int64_t{1} << 20));
  TERN_TRY_DO(in_range("block count", p.n_layers, 1, kMaxLayers));
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
  if (s.kind == RopeScaling::Kind::yarn) {
    TERN_TRY_DO(in_range("original context of the yarn rope scaling", s.original_context, 1, std::int64_t{1} << 30));
    if (!(s.beta_slow > 0.0F && s.beta_fast > s.beta_slow && std::isfinite(s.beta_fast))) {
      return fail(ErrorCode::bad_input, "yarn rope scaling needs 0 < beta_slow < beta_fast, got {} and {}", s.beta_slow,
                  s.beta_fast);
    }
    if (!(std::isfinite(s.attention_factor) && s.attention_factor > 0.0F)) {
      return fail(ErrorCode::bad_input, "yarn attention factor is {}, expected a positive number", s.attention_factor);
    }
    if (p.rope_base <= 1.0F) return fail(ErrorCode::bad_input, "rope base is {}, yarn needs one above 1", p.rope_base);
  }
  TERN_TRY_DO(in_range("attention window", p.window, 0, std::int64_t{1} << 30));
  if (!p.windowed.empty() && std::ssize(p.windowed) != p.n_layers) {
    return fail(ErrorCode::bad_input, "the pattern of sliding layers has {} entries for {} layers", p.windowed.size(),
                p.n_layers);
  }
  const std::array<std::pair<std::string_view, float>, 4> factors{
      {{"rope base of sliding layers", p.rope_base_windowed},
       {"attention scale", p.attention_scale},
       {"attention soft cap", p.attention_soft_cap},
       {"final soft cap", p.final_soft_cap}}};
  for (const auto& [name, value] : factors) {
    if (!std::isfinite(value) || value < 0.0F)
      return fail(ErrorCode::bad_input, "{} is {}, expected a positive number or 0 for none", name, value);
  }
  return {};
}

}  // namespace tern::models
