#include "models/decoder.hpp"

#include <cmath>

namespace tern::models {

ValueId Decoder::embed(float scale) {
  table_ = b_.tensor("token_embd.weight", matrix_shape(p_.n_embd, p_.n_vocab), TensorRole::embedding);
  rope_factors_ = b_.tensor("rope_freqs.weight", vector_shape(p_.n_rotary / 2), TensorRole::rope_factors, true);
  return b_.embed("x", table_, scale);
}

void Decoder::begin_layer(std::int64_t layer) {
  layer_ = layer;
  b_.scope(fmt::format("blk.{}.", layer));
}

ValueId Decoder::norm(std::string_view value, ValueId in, std::string_view tensor) {
  const TensorId gain = b_.tensor(fmt::format("{}.weight", tensor), vector_shape(b_.width(in)), TensorRole::norm);
  return b_.rms_norm(value, in, gain, p_.norm_eps);
}

ValueId Decoder::head_norm(std::string_view value, ValueId in, std::string_view tensor) {
  const TensorId gain = b_.tensor(fmt::format("{}.weight", tensor), vector_shape(p_.head_dim), TensorRole::norm);
  return b_.rms_norm(value, in, gain, p_.norm_eps, p_.head_dim);
}

ValueId Decoder::linear(std::string_view value, ValueId in, std::string_view tensor, std::int64_t n_rows, Bias bias) {
  return projection(value, in, tensor, n_rows, bias, false);
}

ValueId Decoder::scaled_linear(std::string_view value, ValueId in, std::string_view tensor, std::int64_t n_rows) {
  return projection(value, in, tensor, n_rows, Bias::none, true);
}

ValueId Decoder::projection(std::string_view value, ValueId in, std::string_view tensor, std::int64_t n_rows, Bias bias,
                            bool has_scale) {
  if (p_.input_norms) {
    in = norm(fmt::format("{}_norm_in", value), in, fmt::format("{}_norm_in", tensor));
  }
  const TensorId weight =
      b_.tensor(fmt::format("{}.weight", tensor), matrix_shape(b_.width(in), n_rows), TensorRole::linear);
  const TensorId shift = bias == Bias::none ? kNone
                                            : b_.tensor(fmt::format("{}.bias", tensor), vector_shape(n_rows),
                                                        TensorRole::bias, bias == Bias::if_present);
  const TensorId scale =
      has_scale ? b_.tensor(fmt::format("{}.scale", tensor), vector_shape(1), TensorRole::scale, true) : kNone;
  return b_.linear(value, in, weight, p_.linear_activation, shift, scale);
}

ValueId Decoder::rotate(std::string_view value, ValueId in) {
  const bool local = p_.is_windowed(layer_) && p_.rope_base_windowed != 0.0F;
  return b_.rope(value, {.in = in,
                         .out = kNone,
                         .n_heads = b_.width(in) / p_.head_dim,
                         .head_dim = p_.head_dim,
                         .n_rotary = p_.n_rotary,
                         .pairing = pairing_,
                         .base = local ? p_.rope_base_windowed : p_.rope_base,
                         // Layers that see a window only were never stretched.
                         .scaling = local ? RopeScaling{} : p_.rope_scaling,
                         .factors = local ? kNone : rope_factors_});
}

ValueId Decoder::attend(ValueId query, ValueId key, ValueId value) {
  const float usual = 1.0F / std::sqrt(static_cast<float>(p_.head_dim));
  return b_.attention("mixed", {.query = query,
                                .key = key,
                                .value = value,
                                .out = kNone,
                                .kv_layer = 0,
                                .n_heads = p_.n_heads,
                                .n_kv_heads = p_.n_kv_heads,
                                .head_dim = p_.head_dim,
                                .scale = p_.attention_scale == 0.0F ? usual : p_.attention_scale,
                                .window = p_.is_windowed(layer_) ? p_.window : 0,
                                .soft_cap = p_.attention_soft_cap});
}

Plan Decoder::finish(ValueId x) {
  b_.scope("");
  const ValueId last = norm("output_norm", x, "output_norm");
  if (p_.pooling != Pooling::none) {
    b_.pool(last, p_.pooling);
  } else {
    const TensorId head =
        b_.tensor("output.weight", matrix_shape(p_.n_embd, p_.n_vocab), TensorRole::head, true, table_);
    b_.head("logits", last, head, p_.final_soft_cap);
  }
  return b_.take();
}

}  // namespace tern::models
