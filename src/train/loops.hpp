// The elementwise loops of training that are worth vector instructions: rows of a softmax, the backward passes of norms
// and gates. Compiled for several instruction sets at once (loops.cpp); all of them give the same bits, because every
// sum has sixteen fixed lanes that are added in one fixed order.
#pragma once

#include <cstdint>

namespace tern::train::loops {

/// Sum of a[i] * b[i].
[[nodiscard]] float dot(const float* a, const float* b, std::int64_t n);
/// Sum of x[i]^2: floats over runs so short that nothing is lost that matters, those sums in double.
[[nodiscard]] double squares(const float* x, std::int64_t n);
/// y += x.
void add(const float* x, std::int64_t n, float* y);
/// y += factor * x.
void add_scaled(const float* x, float factor, std::int64_t n, float* y);
/// y *= factor.
void scale(float factor, std::int64_t n, float* y);
/// y = y / token_scale * weight_scale: how the engine scales its integer sums.
void scale_sums(float token_scale, float weight_scale, std::int64_t n, float* y);
/// y = x / divisor.
void divide(const float* x, float divisor, std::int64_t n, float* y);

/// y = x.
void to_floats(const std::int8_t* x, std::int64_t n, float* y);

/// x becomes exp(x - max x); returns the sum. The relative error of an element is below 3e-7.
[[nodiscard]] float exponentials(std::int64_t n, float* x);
/// Largest element, n >= 1.
[[nodiscard]] float largest(const float* x, std::int64_t n);

/// d = p * (d - sum(p * d)) * factor: back through a softmax that gave p.
void softmax_backward(const float* p, float factor, std::int64_t n, float* d);

/// Back through y = x * r * gain with r = 1 / sqrt(mean(x^2) + eps): dx gets (or, with `accumulate`, gains) the
/// gradient; d_gain [n] gains dy * x * r. gain is never null.
void rms_norm_backward(const float* x, const float* gain, const float* dy, std::int64_t n, float eps, bool accumulate,
                       float* dx, float* d_gain);
/// The same for y = (x - mean) / sqrt(variance + eps) * gain + bias; d_bias may be null.
void layer_norm_backward(const float* x, const float* gain, const float* dy, std::int64_t n, float eps, bool accumulate,
                         float* dx, float* d_gain, float* d_bias);

/// Back through y = f(gate) * up (y = f(gate) where up is null, and then d_up is not written).
using GateBackward = void (*)(const float* gate, const float* up, const float* dy, std::int64_t n, bool accumulate_gate,
                              bool accumulate_up, float* d_gate, float* d_up);
void silu_backward(const float* gate, const float* up, const float* dy, std::int64_t n, bool accumulate_gate,
                   bool accumulate_up, float* d_gate, float* d_up);
void relu2_backward(const float* gate, const float* up, const float* dy, std::int64_t n, bool accumulate_gate,
                    bool accumulate_up, float* d_gate, float* d_up);
void gelu_backward(const float* gate, const float* up, const float* dy, std::int64_t n, bool accumulate_gate,
                   bool accumulate_up, float* d_gate, float* d_up);

/// One step of AdamW (arXiv 1711.05101) over n values, in the order of operations of the field's reference optimiser.
struct AdamW {
  float learning_rate;
  float weight_decay;
  float beta1;
  float beta2;
  float epsilon;
  float gradient_factor;     // of clipping
  float mean_correction;     // 1 - beta1^t
  float root_of_correction;  // sqrt(1 - beta2^t)
};
void adamw(const AdamW& a, const float* gradient, std::int64_t n, float* master, float* moment, float* second_moment);

}  // namespace tern::train::loops
