// Hyper-parameters as a Hugging Face config.json: what read_hf_config() reads, written so that transformers 4 and 5
// take it (the older spelling of the rotary settings, which both read). What one class of models spells its own way
// stands in its architecture's file (Architecture::write_config); what no key of the class says is refused by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "models/hf_config.hpp"

namespace tern::models {

struct HfModel {
  /// parameters, llama3_rope, tied_embeddings and storage count; the class is the architecture's to name. A storage
  /// other than none makes every linear of the blocks round its activations to int8 per token.
  HfConfig config;
  bool qkv_biases = false;     // on query, key and value
  bool output_biases = false;  // on the attention's output
  std::string_view dtype = "float32";
  std::optional<std::int64_t> bos, eos, pad;  // of the tokenizer
};

struct Architecture;
class HfJsonWriter;

/// The whole text. Errors: unsupported, naming what the class cannot say, or the architecture without a class.
[[nodiscard]] Result<std::string> write_hf_config(const Architecture& architecture, const HfModel& model);

// For Architecture::write_config:

/// What all classes spell alike. Refuses everything that they do not (windows, soft caps, scales of the scores): who
/// has said it takes it out of the parameters before.
[[nodiscard]] Result<void> write_decoder_config(const HfModel& model, std::string_view class_name,
                                                std::string_view model_type, HfJsonWriter& out);
/// "layer_types" of the windows; all full_attention where there is none.
void write_layer_types(const HyperParameters& parameters, HfJsonWriter& out);
/// The refusal: "gemma3: Gemma3ForCausalLM has no key for `what`: ...".
[[nodiscard]] std::unexpected<Error> refuse_for_class(const HfModel& model, std::string_view class_name,
                                                      std::string_view what);
/// The name of an activation function in transformers: gelu_pytorch_tanh for what GGUF calls gelu.
[[nodiscard]] std::string_view hf_activation_name(Unary function);

}  // namespace tern::models
