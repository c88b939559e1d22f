// A model as data: a straight list of steps of eleven kinds over named values and tensors.
//
// The plan is not a graph library: no scheduling, no differentiation, no operator registry. Everything that needs to
// know a model (engine, converter, loader, `tern info --plan`, later the trainer) reads this list, and nothing else
// describes a model. Conventions of one ecosystem (row permutations, norm + 1) are folded by convert and never appear
// here.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tensor/shape.hpp"

namespace tern::models {

using ValueId = int;   // index into Plan::values
using TensorId = int;  // index into Plan::tensors
inline constexpr int kNone = -1;

/// A float vector per token.
struct Value {
  std::string name;
  std::int64_t width = 0;
};

enum class TensorRole : std::uint8_t { embedding, head, linear, norm, bias, scale, rope_factors };

struct TensorSpec {
  std::string name;  // as in GGUF: "blk.0.attn_q.weight"
  Shape shape;
  TensorRole role = TensorRole::linear;
  bool optional = false;      // the step that reads it does without when it is absent
  TensorId fallback = kNone;  // a tied tensor: which one stands in when this is absent

  [[nodiscard]] bool may_be_absent() const { return optional || fallback != kNone; }
};

/// What lies beside a matrix: ("blk.0.attn_q.weight", "scale") is "blk.0.attn_q.scale".
[[nodiscard]] std::string name_beside(std::string_view matrix, std::string_view what);

/// How the input of a linear is rounded. A property of the model (it was trained so), not of the weight format.
struct ActivationPolicy {
  enum class Mode : std::uint8_t {
    partner,    // whatever the weight's format pairs with (none for float formats)
    none,       // never rounded
    per_token,  // absmax over the token's vector
  };
  Mode mode = Mode::partner;
  int bits = 8;
  bool operator==(const ActivationPolicy&) const = default;
};

/// Numbered as in GGUF (pooling_type). none: the model ends in a head.
enum class Pooling : std::uint8_t { none = 0, mean = 1, cls = 2, last = 3 };

enum class Unary : std::uint8_t { silu, relu2, gelu_tanh };

struct EmbedStep {
  ValueId out;
  TensorId table;
  float scale = 1.0F;
};
struct NormStep {
  enum class Kind : std::uint8_t { rms, layer };
  ValueId in;
  ValueId out;
  TensorId weight;
  TensorId bias = kNone;
  Kind kind = Kind::rms;
  float eps = 1e-5F;
  std::int64_t group_width = 0;  // 0: the whole vector; otherwise each consecutive group (a head) by itself
};
struct LinearStep {
  ValueId in;
  ValueId out;
  TensorId weight;
  TensorId bias = kNone;
  TensorId output_scale = kNone;  // one number that multiplies the output
  ActivationPolicy activation;
};
/// How positions beyond the trained context are squeezed into it. LLaMA-3's rule is no kind: GGUF, and so the plan,
/// carries it as RopeStep::factors.
struct RopeScaling {
  enum class Kind : std::uint8_t {
    none,
    linear,  // every position divided by `factor`
    yarn,    // arXiv 2309.00071: low frequencies divided, high ones kept, a ramp between
  };
  Kind kind = Kind::none;
  float factor = 1.0F;
  std::int64_t original_context = 0;  // yarn: positions the model was trained with before it was stretched
  float beta_fast = 32.0F;            // yarn: rotations over the original context above which nothing is divided
  float beta_slow = 1.0F;             // yarn: rotations below which all is
  float attention_factor = 1.0F;      // yarn: multiplies cos and sin, beside the paper's own 1 + ln(factor) / 10
  bool operator==(const RopeScaling&) const = default;
};
struct RopeStep {
  enum class Pairing : std::uint8_t {
    adjacent,    // (0, 1), (2, 3), ...
    half_split,  // (0, d/2), (1, d/2 + 1), ...
  };
  ValueId in;
  ValueId out;
  std::int64_t n_heads;
  std::int64_t head_dim;
  std::int64_t n_rotary;  // leading dimensions of each head that are rotated
  Pairing pairing;
  float base;
  RopeScaling scaling;
  TensorId factors = kNone;  // [n_rotary / 2] divisors of the frequencies
};
struct AttentionStep {
  ValueId query;
  ValueId key;
  ValueId value;
  ValueId out;
  int kv_layer;  // which layer of the key/value cache
  std::int64_t n_heads;
  std::int64_t n_kv_heads;
  std::int64_t head_dim;
  float scale;
  std::int64_t window = 0;  // 0: all earlier positions
  bool causal = true;
  float soft_cap = 0.0F;
};
struct UnaryStep {
  ValueId in;
  ValueId out;
  Unary function;
};
struct GluStep {
  ValueId gate;
  ValueId up;
  ValueId out;
  Unary function;  // out = function(gate) * up
};
struct AddStep {
  ValueId a;
  ValueId b;
  ValueId out;
};
struct ScaleStep {
  ValueId in;
  ValueId out;
  float factor;
};
/// One vector for a whole sequence: what embedding models end in. Their plans have no head.
struct PoolStep {
  ValueId in;
  Pooling kind;
};
struct HeadStep {
  ValueId in;
  ValueId out;  // logits, width = vocabulary
  TensorId weight;
  float soft_cap = 0.0F;
};

using Step = std::variant<EmbedStep, NormStep, LinearStep, RopeStep, AttentionStep, UnaryStep, GluStep, AddStep,
                          ScaleStep, PoolStep, HeadStep>;

struct Plan {
  std::vector<Value> values;
  std::vector<TensorSpec> tensors;
  std::vector<Step> steps;
  int n_kv_layers = 0;

  [[nodiscard]] const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const TensorSpec& tensor(TensorId id) const { return tensors[static_cast<std::size_t>(id)]; }
  /// A line a step: "attn_q = linear(attn_norm, blk.0.attn_q.weight [256, 256], int8 per token)".
  [[nodiscard]] std::string text() const;
};

}  // namespace tern::models
