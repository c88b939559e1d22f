// Chooses the next token from logits: the usual chain of this field, in llama.cpp's order and with its flag names.
// repeat penalty -> top-k -> top-p -> min-p -> temperature -> draw. Temperature 0 is greedy: the first largest logit.
// The same seed and logits give the same tokens on every machine with the same logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"

namespace tern::engine {

struct SamplerOptions {
  float temperature = 0.8F;
  std::int32_t top_k = 40;          // 0: all
  float top_p = 0.95F;              // 1: all
  float min_p = 0.05F;              // 0: all
  float repeat_penalty = 1.0F;      // 1: none
  std::int32_t repeat_last_n = 64;  // tokens the penalty looks back; -1: all
  std::uint64_t seed = 0;
};

/// Bounds of every option; the first bad one is named.
[[nodiscard]] Result<void> check(const SamplerOptions& options);

class Sampler {
 public:
  explicit Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {}

  /// `history` is the sequence so far (for the penalty).
  [[nodiscard]] std::int32_t sample(std::span<const float> logits, std::span<const std::int32_t> history);

 private:
  struct Candidate {
    std::int32_t id;
    float logit;
  };
  SamplerOptions options_;
  Random random_;
  std::vector<Candidate> candidates_;
};

/// The first index of the largest value; NaN is below every number.
[[nodiscard]] std::int32_t argmax(std::span<const float> values);

}  // namespace tern::engine
