// The plan as text, for `tern info --plan`.
#include "models/plan.hpp"

#include <fmt/format.h>

namespace tern::models {
namespace {

std::string_view name_of(Unary function) {
  switch (function) {
    case Unary::silu:
      return "silu";
    case Unary::relu2:
      return "relu2";
    case Unary::gelu_tanh:
      return "gelu_tanh";
  }
  return "?";
}

std::string_view name_of(Pooling kind) {
  switch (kind) {
    case Pooling::none:
      return "none";
    case Pooling::mean:
      return "mean";
    case Pooling::cls:
      return "first";
    case Pooling::last:
      return "last";
  }
  return "?";
}

std::string text_of(const ActivationPolicy& policy) {
  switch (policy.mode) {
    case ActivationPolicy::Mode::partner:
      return "activations as the format pairs";
    case ActivationPolicy::Mode::none:
      return "float activations";
    case ActivationPolicy::Mode::per_token:
      return fmt::format("int{} per token", policy.bits);
  }
  return "?";
}

struct Printer {
  const Plan& plan;

  [[nodiscard]] const std::string& v(ValueId id) const { return plan.value(id).name; }
  [[nodiscard]] std::string t(TensorId id) const {
    const TensorSpec& spec = plan.tensor(id);
    std::string out = fmt::format("{} {}", spec.name, spec.shape.text());
    if (spec.fallback != kNone)
      out += fmt::format(" else {}", plan.tensor(spec.fallback).name);
    else if (spec.optional)
      out += " if present";
    return out;
  }
  [[nodiscard]] std::string more(std::string_view label, TensorId id) const {
    return id == kNone ? "" : fmt::format(", {} {}", label, t(id));
  }

  std::string operator()(const EmbedStep& s) const {
    return fmt::format("{} = embed({}{})", v(s.out), t(s.table),
                       s.scale == 1.0F ? "" : fmt::format(", times {}", s.scale));
  }
  std::string operator()(const NormStep& s) const {
    return fmt::format("{} = {}_norm({}, {}{}, eps {}{})", v(s.out), s.kind == NormStep::Kind::rms ? "rms" : "layer",
                       v(s.in), t(s.weight), more("bias", s.bias), s.eps,
                       s.group_width == 0 ? "" : fmt::format(", per {}", s.group_width));
  }
  std::string operator()(const LinearStep& s) const {
    return fmt::format("{} = linear({}, {}{}{}, {})", v(s.out), v(s.in), t(s.weight), more("bias", s.bias),
                       more("scale", s.output_scale), text_of(s.activation));
  }
  std::string operator()(const RopeStep& s) const {
    std::string scaling;
    if (s.scaling.kind == RopeScaling::Kind::linear) scaling = fmt::format(", linear / {}", s.scaling.factor);
    if (s.scaling.kind == RopeScaling::Kind::yarn) {
      scaling = fmt::format(", yarn / {} beyond {}", s.scaling.factor, s.scaling.original_context);
    }
    return fmt::format("{} = rope({}, {} heads x {}, {} rotated, {}, base {}{}{})", v(s.out), v(s.in), s.n_heads,
                       s.head_dim, s.n_rotary, s.pairing == RopeStep::Pairing::adjacent ? "adjacent" : "half split",
                       s.base, scaling, more("factors", s.factors));
  }
  std::string operator()(const AttentionStep& s) const {
    return fmt::format("{} = attention({}, {}, {}, {} heads over {} x {}, scale {:.6g}{}{}{})", v(s.out), v(s.query),
                       v(s.key), v(s.value), s.n_heads, s.n_kv_heads, s.head_dim, s.scale, s.causal ? ", causal" : "",
                       s.window == 0 ? "" : fmt::format(", window {}", s.window),
                       s.soft_cap == 0.0F ? "" : fmt::format(", cap {}", s.soft_cap));
  }
  std::string operator()(const UnaryStep& s) const {
    return fmt::format("{} = {}({})", v(s.out), name_of(s.function), v(s.in));
  }
  std::string operator()(const GluStep& s) const {
    return fmt::format("{} = {}({}) * {}", v(s.out), name_of(s.function), v(s.gate), v(s.up));
  }
  std::string operator()(const AddStep& s) const { return fmt::format("{} = {} + {}", v(s.out), v(s.a), v(s.b)); }
  std::string operator()(const ScaleStep& s) const { return fmt::format("{} = {} * {}", v(s.out), v(s.in), s.factor); }
  std::string operator()(const PoolStep& s) const {
    return fmt::format("embedding = {}({})", name_of(s.kind), v(s.in));
  }
  std::string operator()(const HeadStep& s) const {
    return fmt::format("{} = head({}, {}{})", v(s.out), v(s.in), t(s.weight),
                       s.soft_cap == 0.0F ? "" : fmt::format(", cap {}", s.soft_cap));
  }
};

}  // namespace

std::string name_beside(std::string_view matrix, std::string_view what) {
  constexpr std::string_view kSuffix = ".weight";
  if (matrix.ends_with(kSuffix)) matrix.remove_suffix(kSuffix.size());
  return fmt::format("{}.{}", matrix, what);
}

std::string Plan::text() const {
  const Printer printer{*this};
  std::string out;
  for (const Step& step : steps) out += std::visit(printer, step) + "\n";
  return out;
}

}  // namespace tern::models
