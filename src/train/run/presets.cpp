#include "train/run/presets.hpp"

#include <algorithm>
#include <array>

#include "base/words.hpp"

namespace tern::train {
namespace {

/// The shape they share, Recipe's own with fewer heads of keys and values: 3.7 million parameters with a vocabulary of
/// 2,048, all widths multiples of 256.
Recipe small() {
  Recipe r;
  r.num_key_value_heads = 2;
  return r;
}

/// LLaMA in float: AdamW (0.9, 0.95), weight decay 0.1, clipping at 1, warm-up, half a cosine to 5 %.
Recipe llama() {
  Recipe r = small();
  r.architecture = "llama";
  r.learning_rate = 1.5e-3;
  return r;
}

/// BitNet b1.58 (arXiv 2402.17764 and its training tips): linear decay in two stages. The first falls as if to zero at
/// the end; at half-way the rate drops to where a peak of two thirds (1e-3 after 1.5e-3 in the tips) would have fallen
/// by then, a third of the first peak. Weight decay is off in the second. Sub-norms and relu^2 as in the 2B-4T model
/// (arXiv 2504.12285).
Recipe bitnet_b158() {
  Recipe r = small();
  r.architecture = "bitnet-b1.58";
  r.weights = "absmean";
  r.activations = "int8";
  r.learning_rate = 4e-3;
  r.schedule = "two_stage";
  r.last = 0.02;
  r.decay_until = 0.5;
  return r;
}

/// BitNet (arXiv 2310.11453): binary, a norm in every projection, Adam (0.9, 0.98), polynomial decay, weight decay
/// 0.01. The paper's peak for 125M is 2.4e-3. It does not clip; at our batch of 8 thousand tokens clipping at 1 is
/// kept.
Recipe bitnet() {
  Recipe r = small();
  r.architecture = "llama";
  r.norm_per_projection = true;
  r.hidden_act = "gelu";
  r.weights = "sign";
  r.activations = "int8";
  r.learning_rate = 3e-3;
  r.beta2 = 0.98;
  r.weight_decay = 0.01;
  r.schedule = "linear";
  r.last = 0.0;
  return r;
}

/// TriLM (arXiv 2407.12327): ternary weights, float activations, no norms beside LLaMA's; the rate drops at half-way as
/// above, weight decay ends at two thirds.
Recipe trilm() {
  Recipe r = small();
  r.architecture = "llama";
  r.weights = "absmean";
  r.learning_rate = 4e-3;
  r.schedule = "two_stage";
  r.last = 0.02;
  r.decay_until = 2.0 / 3.0;
  return r;
}

/// Ternary with a scale for 64 values, in the shape that Q2_0 holds; float for the first tenth.
Recipe grouped() {
  Recipe r = bitnet_b158();
  r.group = 64;
  r.quantise_from = 0.1;
  return r;
}

constexpr std::array<Preset, 5> kPresets{{
    {"llama", &llama},
    {"bitnet-b1.58", &bitnet_b158},
    {"bitnet", &bitnet},
    {"trilm", &trilm},
    {"grouped", &grouped},
}};

}  // namespace

std::span<const Preset> presets() {
  return kPresets;
}

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) names.push_back(preset.name);
  return names;
}

Result<Recipe> preset_by_name(std::string_view name) {
  const auto found = std::ranges::find(kPresets, name, &Preset::name);
  if (found != kPresets.end()) return found->recipe();
  const auto names = preset_names();
  return fail(ErrorCode::usage, "unknown preset \"{}\"{}: there are {}", printable(name), did_you_mean(name, names),
              fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace tern::train
