// Hugging Face config.json as the numbers Tern uses. Both spellings of the rope settings are read (rope_theta and
// rope_scaling, or rope_parameters); what would change the model and is not understood is refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "models/hyper_parameters.hpp"

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
  bool tied_embeddings = false;
  BitNetStorage storage = BitNetStorage::none;
  std::optional<std::int64_t> bos_token_id;
  std::optional<std::int64_t> eos_token_id;
};

[[nodiscard]] Result<HfConfig> read_hf_config(std::span<const std::byte> json);

}  // namespace tern::models
