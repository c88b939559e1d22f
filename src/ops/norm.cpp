#include "ops/norm.hpp"

#include <cmath>

namespace tern::ops {

void layer_norm(const float* x, const float* weight, const float* bias, std::int64_t n, float eps, float* y) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(n);
  double squares = 0.0;
  for (std::int64_t i = 0; i < n; ++i)
    squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
  const double scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + static_cast<double>(eps));
  for (std::int64_t i = 0; i < n; ++i) {
    float value = static_cast<float>((static_cast<double>(x[i]) - mean) * scale);
    if (weight != nullptr) value *= weight[i];
    if (bias != nullptr) value += bias[i];
    y[i] = value;
  }
}

}  // namespace tern::ops
