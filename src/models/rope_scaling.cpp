#include "models/rope_scaling.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tern::models {
namespace {

// The dimension whose pair makes `rotations` turns over `context` positions.
double dimension_of(double rotations, std::int64_t n_rotary, double base, std::int64_t context) {
  return static_cast<double>(n_rotary) * std::log(static_cast<double>(context) / (rotations * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(base));
}

void stretch_by_yarn(const RopeStep& step, RopeFrequencies& out) {
  const RopeScaling& s = step.scaling;
  const auto base = static_cast<double>(step.base);
  const double first = std::max(
      std::floor(dimension_of(static_cast<double>(s.beta_fast), step.n_rotary, base, s.original_context)), 0.0);
  const double last =
      std::min(std::ceil(dimension_of(static_cast<double>(s.beta_slow), step.n_rotary, base, s.original_context)),
               static_cast<double>(step.n_rotary - 1));
  const auto width = static_cast<float>(std::max(last - first, 0.001));
  for (std::size_t i = 0; i < out.inverse.size(); ++i) {
    const float divided = std::clamp((static_cast<float>(i) - static_cast<float>(first)) / width, 0.0F, 1.0F);
    const float kept = 1.0F - divided;
    out.inverse[i] = out.inverse[i] / s.factor * (1.0F - kept) + out.inverse[i] * kept;
  }
  const double own = s.factor <= 1.0F ? 1.0 : 1.0 + 0.1 * std::log(static_cast<double>(s.factor));
  out.magnitude = static_cast<float>(own * static_cast<double>(s.attention_factor));
}

}  // namespace

RopeFrequencies rope_frequencies(const RopeStep& step) {
  RopeFrequencies out;
  out.inverse.resize(static_cast<std::size_t>(step.n_rotary / 2));
  for (std::size_t i = 0; i < out.inverse.size(); ++i) {
    const double exponent = static_cast<double>(2 * i) / static_cast<double>(step.n_rotary);
    // Rounded to float before the division, as the reference implementation rounds it.
    out.inverse[i] = 1.0F / static_cast<float>(std::pow(static_cast<double>(step.base), exponent));
  }
  if (step.scaling.kind == RopeScaling::Kind::linear) {
    for (float& f : out.inverse) f /= step.scaling.factor;
  }
  if (step.scaling.kind == RopeScaling::Kind::yarn) stretch_by_yarn(step, out);
  return out;
}

std::vector<float> llama3_rope_factors(const Llama3Rope& rule, std::int64_t n_rotary, float base) {
  const auto original = static_cast<double>(rule.original_context);
  const double low_wavelength = original / static_cast<double>(rule.low_freq_factor);
  const double high_wavelength = original / static_cast<double>(rule.high_freq_factor);
  std::vector<float> factors;
  for (std::int64_t i = 0; i < n_rotary / 2; ++i) {
    const double frequency =
        1.0 / std::pow(static_cast<double>(base), static_cast<double>(2 * i) / static_cast<double>(n_rotary));
    const double wavelength = 2.0 * std::numbers::pi / frequency;
    double factor = 1.0;
    if (wavelength > low_wavelength) {
      factor = static_cast<double>(rule.factor);
    } else if (wavelength >= high_wavelength) {
      const double smooth = (original / wavelength - static_cast<double>(rule.low_freq_factor)) /
                            static_cast<double>(rule.high_freq_factor - rule.low_freq_factor);
      factor = 1.0 / ((1.0 - smooth) / static_cast<double>(rule.factor) + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

}  // namespace tern::models
