// Hugging Face config.json as the numbers Tern uses. Both spellings of the rope settings are read (rope_theta and
// rope_scaling, or rope_parameters); what would change the model and is not understood is refused by name. What one
// class of models spells its own way stands in its architecture's file (Architecture::read_config).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "models/hyper_parameters.hpp"
#include "models/rope_scaling.hpp"

namespace tern::models {

/// How a BitNet checkpoint stores its linears (formats.md of the field: four published spellings).
enum class BitNetStorage : unsigned char {
  none,             // ordinary float weights
  online_masters,   // bf16 masters, ternarised on the fly: w = clamp(round(w / mean|w|), -1, 1) * mean|w|
  packed_multiply,  // "autobitlinear" offline: y = (x_q . t) * weight_scale
  packed_divide,    // "bitlinear": y = (x_q . t) / weight_scale
};

struct HfConfig {
  std::string class_name;  // architectures[0]: "LlamaForCausalLM"
  std::string model_type;
  HyperParameters parameters;  // architecture name empty; activation policy per token for BitNet, else partner
  std::optional<Llama3Rope> llama3_rope;  // convert makes a tensor of it
  bool tied_embeddings = false;
  BitNetStorage storage = BitNetStorage::none;
};

struct Architecture;
class HfJson;

/// Errors name the key; a class that no architecture lists is refused before any other.
[[nodiscard]] Result<HfConfig> read_hf_config(std::span<const std::byte> json,
                                              std::span<const Architecture* const> architectures);
[[nodiscard]] Result<HfConfig> read_hf_config(std::span<const std::byte> json);

// For Architecture::read_config:

/// What all classes spell alike. Numbers already set in `out.parameters` are defaults for absent keys.
[[nodiscard]] Result<void> read_decoder_config(const HfJson& config, HfConfig& out);
/// The activation function that `key` names; leaves `parameters.activation` alone where the key is absent.
[[nodiscard]] Result<void> read_activation(const HfJson& config, const char* key, HyperParameters& parameters);
/// rope_theta, rope_type and its numbers, from rope_scaling or (a part of) rope_parameters.
[[nodiscard]] Result<void> read_rope_section(const HfJson& section, HfConfig& out);
/// "layer_types": which layers slide. Leaves `parameters.windowed` alone where the key is absent.
[[nodiscard]] Result<void> read_layer_types(const HfJson& config, HyperParameters& parameters);

}  // namespace tern::models
