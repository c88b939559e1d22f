// Fake quantisation for the reference that runs plans in double precision: hooks that round a linear's matrix (ternary
// by its mean magnitude, or to signs) and its input (per token), faded in by lambda. Rounded in float32 as a trainer
// does, written from the papers (arXiv 2310.11453, 2402.17764) and not from ours.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/half.hpp"
#include "tests/support/steps_in_double.hpp"

namespace tern::test {

struct Rounding {
  std::string method = "absmean";  // or "sign", or "none"
  std::size_t group = 0;           // 0: one scale a matrix
  int bits = 8;                    // of inputs; 0: none
  double lambda = 1.0;
};

inline std::vector<double> rounded_matrix(const std::vector<double>& w, const Rounding& rounding) {
  const std::size_t size = rounding.group == 0 ? w.size() : rounding.group;
  std::vector<double> out;
  for (std::size_t begin = 0; begin < w.size(); begin += size) {
    double sum = 0.0;
    double magnitudes = 0.0;
    for (std::size_t i = begin; i < begin + size; ++i) {
      sum += w[i];
      magnitudes += std::fabs(w[i]);
    }
    const auto n = static_cast<double>(size);
    const float scale = fp16_to_fp32(fp32_to_fp16(static_cast<float>(magnitudes / n)));
    for (std::size_t i = begin; i < begin + size; ++i) {
      const double ratio = static_cast<double>(static_cast<float>(w[i]) / scale);
      const double code =
          rounding.method == "sign" ? (w[i] > sum / n ? 1.0 : -1.0) : std::clamp(std::nearbyint(ratio), -1.0, 1.0);
      out.push_back(w[i] + rounding.lambda * (code * static_cast<double>(scale) - w[i]));
    }
  }
  return out;
}

/// Rounds a token in place; returns how near a number came to where its code changes, in codes.
inline double round_token(double* x, std::size_t width, int bits, double lambda) {
  const double top = bits == 8 ? 127.0 : 7.0;
  float largest = 1e-5F;
  for (std::size_t i = 0; i < width; ++i) largest = std::max(largest, static_cast<float>(std::fabs(x[i])));
  const float s = static_cast<float>(top) * (1.0F / largest);
  double nearest = 1.0;
  for (std::size_t i = 0; i < width; ++i) {
    const double scaled = static_cast<double>(static_cast<float>(x[i]) * s);
    nearest = std::min(nearest, std::fabs(scaled - std::floor(scaled) - 0.5));
    const double code = std::clamp(std::nearbyint(scaled), -top - 1.0, top);
    x[i] += lambda * (code / static_cast<double>(s) - x[i]);
  }
  return nearest;
}

/// Hooks of all linears. `nearest` (not null) keeps the least that round_token() returned.
inline LinearHooks rounding_hooks(const models::Plan& plan, const Rounding& rounding, double* nearest = nullptr) {
  LinearHooks hooks;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto* linear = std::get_if<models::LinearStep>(&plan.steps[i]);
    if (linear == nullptr) continue;
    if (rounding.method != "none") {
      hooks[i].weight = [name = plan.tensor(linear->weight).name, rounding](const Parameters& p) {
        return rounded_matrix(p.at(name), rounding);
      };
    }
    if (rounding.bits == 0) continue;
    const auto width = static_cast<std::size_t>(plan.value(linear->in).width);
    hooks[i].input = [width, rounding, nearest](std::vector<double>& rows) {
      for (std::size_t at = 0; at < rows.size(); at += width) {
        const double near = round_token(&rows[at], width, rounding.bits, rounding.lambda);
        if (nearest != nullptr) *nearest = std::min(*nearest, near);
      }
    };
  }
  return hooks;
}

}  // namespace tern::test
