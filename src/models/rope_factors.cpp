// LLaMA-3.1's rope scaling as per-frequency divisors, the way GGUF files carry it (tensor rope_freqs.weight).
#include <cmath>
#include <numbers>

#include "models/hyper_parameters.hpp"

namespace tern::models {

std::vector<float> llama3_rope_factors(const HyperParameters& p) {
  const RopeScaling& s = p.rope_scaling;
  const auto original = static_cast<double>(s.original_context);
  const double low_wavelength = original / static_cast<double>(s.low_freq_factor);
  const double high_wavelength = original / static_cast<double>(s.high_freq_factor);
  std::vector<float> factors;
  for (std::int64_t i = 0; i < p.n_rotary / 2; ++i) {
    const double frequency =
        1.0 / std::pow(static_cast<double>(p.rope_base), static_cast<double>(2 * i) / static_cast<double>(p.n_rotary));
    const double wavelength = 2.0 * std::numbers::pi / frequency;
    double factor = 1.0;
    if (wavelength > low_wavelength) {
      factor = static_cast<double>(s.factor);
    } else if (wavelength >= high_wavelength) {
      const double smooth = (original / wavelength - static_cast<double>(s.low_freq_factor)) /
                            static_cast<double>(s.high_freq_factor - s.low_freq_factor);
      factor = 1.0 / ((1.0 - smooth) / static_cast<double>(s.factor) + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

}  // namespace tern::models
