#include "train/loops.hpp"

#include <bit>
#include <cmath>

// One source, several instruction sets, chosen when the program is loaded. The chooser cannot run under sanitizers.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define TERN_FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define TERN_FOR_EACH_CPU
#endif
#define TERN_INLINE inline __attribute__((always_inline))

namespace tern::train::loops {
namespace {

constexpr std::int64_t kLanes = 16;

/// The sixteen partial sums of a loop, and the one order in which they become a number.
struct Lanes {
  float lane[kLanes] = {};
  [[nodiscard]] TERN_INLINE float sum() const {
    float total = 0.0F;
    for (std::int64_t j = 0; j < kLanes; ++j) total += lane[j];
    return total;
  }
};

/// Calls f(i, lane) for i in [0, n).
template <class F>
TERN_INLINE void each(std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::int64_t j = 0; j < kLanes; ++j) f(i + j, j);
  }
  for (std::int64_t j = 0; i < n; ++i, ++j) f(i, j);
}

TERN_INLINE float largest_of(const float* x, std::int64_t n) {
  float lane[kLanes];
  for (std::int64_t j = 0; j < kLanes; ++j) lane[j] = x[0];
  each(n, [&](std::int64_t i, std::int64_t j) { lane[j] = x[i] > lane[j] ? x[i] : lane[j]; });
  float most = lane[0];
  for (std::int64_t j = 1; j < kLanes; ++j) most = lane[j] > most ? lane[j] : most;
  return most;
}

/// e^x: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2] (Cephes' coefficients). Below -87 almost zero, above 88 huge.
/// No comparison of floats: with one, the compiler keeps the loop scalar for the sake of floating-point exceptions.
TERN_INLINE float exponential(float given) {
  // Beyond 104 either way nothing changes any more; compared as integers, for the reason above. What is no number
  // stays.
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(given);
  constexpr std::uint32_t kEnd = 0x42d00000U;  // 104
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  const std::uint32_t bounded = magnitude < kEnd ? magnitude : kEnd;
  const float x = std::bit_cast<float>(bounded | (bits & 0x80000000U)) + (given - given);
  constexpr float kLog2E = 1.44269504088896341F;
  constexpr float kToInteger = 12582912.0F;  // 1.5 * 2^23: the sum's last bits are the nearest whole number
  const float shifted = x * kLog2E + kToInteger;
  const float n = shifted - kToInteger;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kToInteger);
  exponent = exponent < -126 ? -126 : exponent;
  exponent = exponent > 127 ? 127 : exponent;
  return p * std::bit_cast<float>((exponent + 127) << 23);
}

/// f gives the value and the slope of the activation at a gate.
struct Curve {
  float value;
  float slope;
};

struct Silu {
  TERN_INLINE Curve operator()(float x) const {
    const float sigmoid = 1.0F / (1.0F + exponential(-x));
    return {x * sigmoid, sigmoid * (1.0F + x * (1.0F - sigmoid))};
  }
};

struct Relu2 {
  TERN_INLINE Curve operator()(float x) const {
    const float positive = (x + std::fabs(x)) * 0.5F;  // max(x, 0) without a comparison
    return {positive * positive, 2.0F * positive};
  }
};

/// x/2 (1 + tanh u), u = sqrt(2/pi) (x + 0.044715 x^3), written as x * sigmoid(2u).
struct Gelu {
  TERN_INLINE Curve operator()(float x) const {
    constexpr float kTwiceRoot = 1.5957691216057308F;
    constexpr float kCubic = 0.044715F;
    const float sigmoid = 1.0F / (1.0F + exponential(-kTwiceRoot * (x + kCubic * x * x * x)));
    const float inner = kTwiceRoot * (1.0F + 3.0F * kCubic * x * x);
    return {x * sigmoid, sigmoid + x * sigmoid * (1.0F - sigmoid) * inner};
  }
};

template <class F>
TERN_INLINE void gate_backward(const float* __restrict gate, const float* __restrict up, const float* __restrict dy,
                               std::int64_t n, bool accumulate_gate, bool accumulate_up, float* __restrict d_gate,
                               float* __restrict d_up, F f) {
  if (up == nullptr) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float d = dy[i] * f(gate[i]).slope;
      d_gate[i] = accumulate_gate ? d_gate[i] + d : d;
    }
    return;
  }
  if (!accumulate_gate && !accumulate_up) {
    for (std::int64_t i = 0; i < n; ++i) {
      const Curve c = f(gate[i]);
      d_gate[i] = dy[i] * up[i] * c.slope;
      d_up[i] = dy[i] * c.value;
    }
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const Curve c = f(gate[i]);
    const float for_gate = dy[i] * up[i] * c.slope;
    const float for_up = dy[i] * c.value;
    d_gate[i] = accumulate_gate ? d_gate[i] + for_gate : for_gate;
    d_up[i] = accumulate_up ? d_up[i] + for_up : for_up;
  }
}

}  // namespace

TERN_FOR_EACH_CPU float dot(const float* a, const float* b, std::int64_t n) {
  Lanes s;
  each(n, [&](std::int64_t i, std::int64_t j) { s.lane[j] += a[i] * b[i]; });
  return s.sum();
}

TERN_FOR_EACH_CPU double squares(const float* x, std::int64_t n) {
  constexpr std::int64_t kRun = 1024;
  double sum = 0.0;
  for (std::int64_t first = 0; first < n; first += kRun) {
    const std::int64_t length = n - first < kRun ? n - first : kRun;
    Lanes s;
    each(length, [&](std::int64_t i, std::int64_t j) { s.lane[j] += x[first + i] * x[first + i]; });
    sum += static_cast<double>(s.sum());
  }
  return sum;
}

TERN_FOR_EACH_CPU void add(const float* x, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

TERN_FOR_EACH_CPU void add_scaled(const float* x, float factor, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

TERN_FOR_EACH_CPU void scale(float factor, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] *= factor;
}

TERN_FOR_EACH_CPU void scale_sums(float token_scale, float weight_scale, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = y[i] / token_scale * weight_scale;
}

TERN_FOR_EACH_CPU void divide(const float* x, float divisor, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] / divisor;
}

TERN_FOR_EACH_CPU void to_floats(const std::int8_t* x, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

TERN_FOR_EACH_CPU float largest(const float* x, std::int64_t n) {
  return largest_of(x, n);
}

TERN_FOR_EACH_CPU float exponentials(std::int64_t n, float* x) {
  const float most = largest_of(x, n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = exponential(x[i] - most);
  Lanes s;
  each(n, [&](std::int64_t i, std::int64_t j) { s.lane[j] += x[i]; });
  return s.sum();
}

TERN_FOR_EACH_CPU void softmax_backward(const float* p, float factor, std::int64_t n, float* d) {
  Lanes s;
  each(n, [&](std::int64_t i, std::int64_t j) { s.lane[j] += p[i] * d[i]; });
  const float mean = s.sum();
  for (std::int64_t i = 0; i < n; ++i) d[i] = p[i] * (d[i] - mean) * factor;
}

TERN_FOR_EACH_CPU void rms_norm_backward(const float* x, const float* gain, const float* dy, std::int64_t n, float eps,
                                         bool accumulate, float* dx, float* d_gain) {
  Lanes squares;
  Lanes products;
  each(n, [&](std::int64_t i, std::int64_t j) {
    squares.lane[j] += x[i] * x[i];
    products.lane[j] += x[i] * gain[i] * dy[i];
  });
  const auto count = static_cast<float>(n);
  const float r = 1.0F / std::sqrt(squares.sum() / count + eps);
  const float pull = r * r * r * products.sum() / count;
  for (std::int64_t i = 0; i < n; ++i) d_gain[i] += dy[i] * x[i] * r;
  if (accumulate) {
    for (std::int64_t i = 0; i < n; ++i) dx[i] += gain[i] * dy[i] * r - x[i] * pull;
  } else {
    for (std::int64_t i = 0; i < n; ++i) dx[i] = gain[i] * dy[i] * r - x[i] * pull;
  }
}

TERN_FOR_EACH_CPU void layer_norm_backward(const float* x, const float* gain, const float* dy, std::int64_t n,
                                           float eps, bool accumulate, float* dx, float* d_gain, float* d_bias) {
  const auto count = static_cast<float>(n);
  Lanes values;
  each(n, [&](std::int64_t i, std::int64_t j) { values.lane[j] += x[i]; });
  const float mean = values.sum() / count;
  Lanes squares;
  Lanes slopes;
  Lanes products;
  each(n, [&](std::int64_t i, std::int64_t j) {
    const float centred = x[i] - mean;
    squares.lane[j] += centred * centred;
    slopes.lane[j] += gain[i] * dy[i];
    products.lane[j] += centred * gain[i] * dy[i];
  });
  const float r = 1.0F / std::sqrt(squares.sum() / count + eps);
  const float shift = slopes.sum() / count;
  const float pull = r * r * products.sum() / count;
  for (std::int64_t i = 0; i < n; ++i) {
    const float centred = x[i] - mean;
    const float d = (gain[i] * dy[i] - shift - centred * pull) * r;
    d_gain[i] += dy[i] * centred * r;
    dx[i] = accumulate ? dx[i] + d : d;
  }
  if (d_bias == nullptr) return;
  for (std::int64_t i = 0; i < n; ++i) d_bias[i] += dy[i];
}

TERN_FOR_EACH_CPU void silu_backward(const float* gate, const float* up, const float* dy, std::int64_t n,
                                     bool accumulate_gate, bool accumulate_up, float* d_gate, float* d_up) {
  gate_backward(gate, up, dy, n, accumulate_gate, accumulate_up, d_gate, d_up, Silu{});
}

TERN_FOR_EACH_CPU void relu2_backward(const float* gate, const float* up, const float* dy, std::int64_t n,
                                      bool accumulate_gate, bool accumulate_up, float* d_gate, float* d_up) {
  gate_backward(gate, up, dy, n, accumulate_gate, accumulate_up, d_gate, d_up, Relu2{});
}

TERN_FOR_EACH_CPU void gelu_backward(const float* gate, const float* up, const float* dy, std::int64_t n,
                                     bool accumulate_gate, bool accumulate_up, float* d_gate, float* d_up) {
  gate_backward(gate, up, dy, n, accumulate_gate, accumulate_up, d_gate, d_up, Gelu{});
}

TERN_FOR_EACH_CPU void adamw(const AdamW& a, const float* gradient, std::int64_t n, float* master, float* moment,
                             float* second_moment) {
  const float keep = 1.0F - a.learning_rate * a.weight_decay;
  const float step = a.learning_rate / a.mean_correction;
  for (std::int64_t i = 0; i < n; ++i) {
    const float g = gradient[i] * a.gradient_factor;
    const float m = moment[i] + (g - moment[i]) * (1.0F - a.beta1);
    const float v = second_moment[i] * a.beta2 + g * g * (1.0F - a.beta2);
    moment[i] = m;
    second_moment[i] = v;
    master[i] = master[i] * keep - step * (m / (std::sqrt(v) / a.root_of_correction + a.epsilon));
  }
}

}  // namespace tern::train::loops
