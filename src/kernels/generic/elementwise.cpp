// RMS norm and gated activations in double precision, rounded once (twice where a gate is multiplied).
#include <cmath>

#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

template <class Act>
void glu(const float* gate, const float* up, std::int64_t n, float* y, Act act) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float v = static_cast<float>(act(static_cast<double>(gate[i])));
    y[i] = up != nullptr ? v * up[i] : v;
  }
}

}  // namespace

void rms_norm(const float* x, const float* weight, std::int64_t n, float eps, float* y) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const auto scale = static_cast<float>(1.0 / std::sqrt(sum / static_cast<double>(n) + static_cast<double>(eps)));
  for (std::int64_t i = 0; i < n; ++i) y[i] = weight != nullptr ? x[i] * scale * weight[i] : x[i] * scale;
}

void silu_glu(const float* gate, const float* up, std::int64_t n, float* y) {
  glu(gate, up, n, y, [](double x) { return x / (1.0 + std::exp(-x)); });
}

void relu2_glu(const float* gate, const float* up, std::int64_t n, float* y) {
  glu(gate, up, n, y, [](double x) { return x < 0.0 ? 0.0 : x * x; });
}

/// The tanh form, x/2 (1 + tanh u) with u = sqrt(2/pi) (x + 0.044715 x^3), written as x / (1 + e^-2u).
void gelu_glu(const float* gate, const float* up, std::int64_t n, float* y) {
  constexpr double kTwiceRoot = 1.5957691216057308;  // 2 sqrt(2 / pi)
  glu(gate, up, n, y, [](double x) { return x / (1.0 + std::exp(-kTwiceRoot * (x + 0.044715 * x * x * x))); });
}

}  // namespace tern::kernels::generic
