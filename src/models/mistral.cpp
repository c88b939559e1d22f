// Mistral (arXiv 2310.06825): LLaMA's graph whose layers see a window of positions. It is a class of checkpoints only:
// GGUF files call it llama, and so do ours, with the window as llama.attention.sliding_window.
#include <array>

#include "models/all.hpp"
#include "models/hf_json.hpp"

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
};

}  // namespace tern::models
