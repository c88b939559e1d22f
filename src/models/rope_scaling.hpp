// From a rope step's numbers to the frequencies its pairs turn with: base, scaling and nothing of one executor. Also
// LLaMA-3.1's rule, which only checkpoints spell as numbers: convert turns it into a tensor of divisors.
#pragma once

#include <cstdint>
#include <vector>

#include "models/plan.hpp"

namespace tern::models {

struct RopeFrequencies {
  std::vector<float> inverse;  // [n_rotary / 2] radians a position, before RopeStep::factors divide them
  float magnitude = 1.0F;      // multiplies cos and sin
};

/// Base and scaling of the step. Yarn as in arXiv 2309.00071 section 3.2, the ramp's ends rounded outwards to whole
/// dimensions as the published models were tuned with.
[[nodiscard]] RopeFrequencies rope_frequencies(const RopeStep& step);

/// "llama3" in Hugging Face configurations.
struct Llama3Rope {
  float factor = 1.0F;
  float low_freq_factor = 1.0F;
  float high_freq_factor = 4.0F;
  std::int64_t original_context = 0;
  bool operator==(const Llama3Rope&) const = default;
};

/// The rule as divisors of the frequencies [n_rotary / 2]: what GGUF's rope_freqs.weight holds.
[[nodiscard]] std::vector<float> llama3_rope_factors(const Llama3Rope& rule, std::int64_t n_rotary, float base);

}  // namespace tern::models
