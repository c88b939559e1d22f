// The pieces that decoder-only transformers share, so that an architecture's file says only how it puts them together:
// values and tensors get their usual GGUF names, shapes follow from the hyper-parameters. Not a model: it decides
// nothing about order, residuals or which norms there are.
#pragma once

#include <string_view>

#include "models/hyper_parameters.hpp"
#include "models/plan_builder.hpp"

namespace tern::models {

/// Whether a linear has a bias [n_rows] ("<name>.bias").
enum class Bias : std::uint8_t { none, if_present, required };

class Decoder {
 public:
  Decoder(const HyperParameters& parameters, RopeStep::Pairing pairing) : p_(parameters), pairing_(pairing) {}

  /// The rows of token_embd.weight, times `scale`. Comes first.
  ValueId embed(float scale = 1.0F);
  /// Values and tensors made from now on belong to this layer.
  void begin_layer(std::int64_t layer);

  /// RMS norm over the whole vector; its gain is "<tensor>.weight".
  ValueId norm(std::string_view value, ValueId in, std::string_view tensor);
  /// RMS norm of each head by itself; the gain [head_dim] is shared by the heads.
  ValueId head_norm(std::string_view value, ValueId in, std::string_view tensor);
  /// A block's matrix "<tensor>.weight" [width of in, n_rows]. Where the model has a norm per projection
  /// (HyperParameters::input_norms), "<tensor>_norm_in.weight" comes first.
  ValueId linear(std::string_view value, ValueId in, std::string_view tensor, std::int64_t n_rows,
                 Bias bias = Bias::none);
  /// The same with an optional factor "<tensor>.scale" [1] on its output, as some conversions of BitNet keep it.
  ValueId scaled_linear(std::string_view value, ValueId in, std::string_view tensor, std::int64_t n_rows);
  /// Rotary positions with the base and scaling of this layer's kind (windowed or not).
  ValueId rotate(std::string_view value, ValueId in);
  /// Causal attention in this layer's window.
  ValueId attend(ValueId query, ValueId key, ValueId value);
  ValueId glu(ValueId gate, ValueId up) { return b_.glu("hidden", gate, up, p_.activation); }
  ValueId add(std::string_view value, ValueId a, ValueId b) { return b_.add(value, a, b); }

  /// The last norm, then the head (tied to the embedding where it has no table) or the pooling of an embedding model.
  Plan finish(ValueId x);

  [[nodiscard]] std::int64_t q_width() const { return p_.n_heads * p_.head_dim; }
  [[nodiscard]] std::int64_t kv_width() const { return p_.n_kv_heads * p_.head_dim; }

 private:
  ValueId projection(std::string_view value, ValueId in, std::string_view tensor, std::int64_t n_rows, Bias bias,
                     bool has_scale);

  const HyperParameters& p_;
  RopeStep::Pairing pairing_;
  PlanBuilder b_;
  std::int64_t layer_ = 0;
  TensorId table_ = kNone;
  TensorId rope_factors_ = kNone;
};

}  // namespace tern::models
