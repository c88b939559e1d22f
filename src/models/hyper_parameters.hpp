// The numbers that turn an architecture into a plan, and their GGUF keys. Reading checks every number, so that a plan
// can be built from them without further thought.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "files/metadata.hpp"
#include "models/plan.hpp"

namespace tern::models {

struct HyperParameters {
  std::string architecture;
  std::int64_t n_vocab = 0;
  std::int64_t n_ctx_train = 0;  // context_length
  std::int64_t n_embd = 0;
  std::int64_t n_layers = 0;
  std::int64_t n_ff = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t n_rotary = 0;
  float norm_eps = 1e-5F;
  float rope_base = 10000.0F;
  RopeScaling rope_scaling;
  Unary activation = Unary::silu;
  ActivationPolicy linear_activation;  // of the blocks' linears; embedding and head are never rounded by it
};

/// GGUF spelling of an activation function ("silu", "relu2", "gelu"), both ways.
[[nodiscard]] std::string_view activation_name(Unary function);
[[nodiscard]] Result<Unary> activation_by_name(std::string_view name);

/// GGUF spelling of an activation policy ("format", "float", "int8_per_token"), both ways.
[[nodiscard]] std::string policy_name(const ActivationPolicy& policy);
[[nodiscard]] Result<ActivationPolicy> policy_by_name(std::string_view name);

/// The key under which the activation policy of the blocks' linears travels.
inline constexpr std::string_view kPolicyKey = "tern.linear_activation";

/// Reads `{architecture}.*`. `defaults` carries what the architecture implies when a key is silent (activation,
/// policy). n_vocab is what the embedding table has; a vocab_size key that disagrees is an error.
[[nodiscard]] Result<HyperParameters> read_hyper_parameters(const files::Metadata& metadata, std::int64_t n_vocab,
                                                            const HyperParameters& defaults);

/// The same keys written out.
void write_hyper_parameters(const HyperParameters& parameters, files::Metadata& metadata);

/// LLaMA-3.1's rope scaling as divisors of the frequencies [n_rotary / 2]. Requires rope_scaling.kind == llama3.
[[nodiscard]] std::vector<float> llama3_rope_factors(const HyperParameters& parameters);

/// Bounds and divisibilities every architecture shares; the first violation is named.
[[nodiscard]] Result<void> check(const HyperParameters& parameters);

}  // namespace tern::models
