// Mistral (arXiv 2310.06825): LLaMA's graph whose layers see a window of positions. It is a class of checkpoints only:
// GGUF files call it llama, and so do ours, with the window as llama.attention.sliding_window.
#include <algorithm>
#include <array>

#include "models/all.hpp"
#include "models/hf_json.hpp"
#include "models/hf_json_writer.hpp"

namespace tern::models {
namespace {

constexpr std::array<std::string_view, 1> kClasses{"MistralForCausalLM"};

HyperParameters mistral_defaults() {
  return kLlama.defaults();
}
Plan mistral_plan(const HyperParameters& p) {
  return kLlama.plan(p);
}

// A window that is null means none; one that is not mentioned means the first model's.
Result<void> read_mistral_config(const HfJson& config, HfConfig& out) {
  TERN_TRY_DO(read_decoder_config(config, out));
  if (!config.mentions("sliding_window")) out.parameters.window = 4096;
  TERN_TRY_DO(config.integer("sliding_window", out.parameters.window));
  return read_layer_types(config, out.parameters);
}

// transformers' class lets all layers slide, whatever layer_types says, and has no biases.
Result<void> write_mistral_config(const HfModel& model, HfJsonWriter& out) {
  constexpr std::string_view kClass = "MistralForCausalLM";
  const HyperParameters& p = model.config.parameters;
  if (model.qkv_biases || model.output_biases)
    return refuse_for_class(model, kClass, "biases on its attention and a sliding window");
  if (p.window > 0 && std::ranges::count(p.windowed, 0) > 0)
    return refuse_for_class(model, kClass, "a window that some layers have and others not");
  HfModel without = model;
  without.config.parameters.window = 0;
  TERN_TRY_DO(write_decoder_config(without, kClass, "mistral", out));
  out.integer_or_null("sliding_window", p.window > 0 ? std::optional(p.window) : std::nullopt);
  return {};
}

}  // namespace

const Architecture kMistral{
    .name = "llama",
    .summary = "Mistral: LLaMA with a sliding window",
    .defaults = &mistral_defaults,
    .plan = &mistral_plan,
    .hugging_face_classes = kClasses,
    .describes = nullptr,
    .tensor_names = kLlama.tensor_names,
    .read_config = &read_mistral_config,
    .write_config = &write_mistral_config,
};

}  // namespace tern::models
