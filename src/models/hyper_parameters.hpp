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

inline constexpr std::int64_t kMaxLayers = 4096;

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
  bool input_norms = false;            // every linear of a block has a norm of its own before it (BitNet embeddings)
  Pooling pooling = Pooling::none;     // what an embedding model makes of its tokens' vectors

  std::int64_t window = 0;             // positions a sliding layer sees, its own included; 0: no layer slides
  std::vector<std::uint8_t> windowed;  // [n_layers] 1 where the layer slides; empty: all do, where there is a window
  std::int64_t window_period = 0;      // implied pattern where a file has none: every such layer sees all; 0: none does
  float rope_base_windowed = 0.0F;     // of sliding layers; 0: as the others, scaling included
  float attention_scale = 0.0F;        // of the scores; 0: 1 / sqrt(head_dim)
  float attention_soft_cap = 0.0F;     // 0: none
  float final_soft_cap = 0.0F;         // of the logits; 0: none

  bool operator==(const HyperParameters&) const = default;

  [[nodiscard]] bool is_windowed(std::int64_t layer) const {
    return window > 0 && (windowed.empty() || windowed[static_cast<std::size_t>(layer)] != 0);
  }
};

/// [n_layers]: 1 for sliding layers, where every `period`-th layer (counted from 1) sees everything; 0: all slide.
[[nodiscard]] std::vector<std::uint8_t> window_pattern(std::int64_t n_layers, std::int64_t period);

/// "mean", "cls", "last", both ways; by name in any case of letters.
[[nodiscard]] std::string_view pooling_name(Pooling pooling);
[[nodiscard]] Result<Pooling> pooling_by_name(std::string_view name);
[[nodiscard]] std::vector<std::string> pooling_names();

/// GGUF spelling of an activation function ("silu", "relu2", "gelu"), both ways.
[[nodiscard]] std::string_view activation_name(Unary function);
[[nodiscard]] Result<Unary> activation_by_name(std::string_view name);

/// GGUF spelling of an activation policy ("format", "float", "int8_per_token", "int4_per_token"), both ways.
[[nodiscard]] std::string policy_name(const ActivationPolicy& policy);
[[nodiscard]] Result<ActivationPolicy> policy_by_name(std::string_view name);

/// The key under which the activation policy of the blocks' linears travels.
inline constexpr std::string_view kPolicyKey = "tern.linear_activation";

/// What the tensors of a file say about its shape, where no key does.
struct TensorFacts {
  std::int64_t n_vocab = 0;  // rows of the embedding table
  bool input_norms = false;  // there is a blk.0.attn_q_norm_in.weight
};

/// Reads `{architecture}.*`. `defaults` carries what the architecture implies when a key is silent (activation, policy,
/// window pattern). A vocab_size key that disagrees with the table is an error.
[[nodiscard]] Result<HyperParameters> read_hyper_parameters(const files::Metadata& metadata, const TensorFacts& facts,
                                                            const HyperParameters& defaults);

/// The same keys written out.
void write_hyper_parameters(const HyperParameters& parameters, files::Metadata& metadata);

/// Bounds and divisibilities every architecture shares; the first violation is named.
[[nodiscard]] Result<void> check(const HyperParameters& parameters);

}  // namespace tern::models
