// What TYPE of `tern quantize` names: a format for a model's matrices, and which of them get another one.
//
// A mixture is one record: its name, its format, and rules, read from the top, of which the first that fits a tensor
// counts. Nothing here looks at a file; type_choice.hpp applies the rules. A format that no record names is a mixture
// without rules by itself. Source: the habits of llama-quantize, checked against llama_model_quantize.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "convert/weight_roles.hpp"
#include "formats/format.hpp"

namespace tern::convert {

/// Which of a role's n layers a rule is for, counted from 0.
enum class Layers : std::uint8_t {
  all,
  first_two,
  first_four,
  first_sixteenth,  // below n / 16, divided as whole numbers
  first_eighth,     // below n / 8
  important         // the first and the last eighth, and every third between
};

/// Which models a rule is for.
enum class Models : std::uint8_t {
  all,
  shared_keys,    // four heads or more to a key head
  eight_experts,  // a mixture of eight experts
  falcon
};

struct MixtureRule {
  WeightRole role;
  Layers layers;
  Models models;
  const formats::Format* format;
};

struct Mixture {
  std::string_view name;  // "Q4_K_M"
  const formats::Format* format;
  std::int32_t number;  // llama-quantize's, which is also general.file_type; -1: none
  std::string_view summary;
  std::span<const MixtureRule> rules = {};
  std::string_view alias = {};    // "Q4_K"
  bool needs_importance = false;  // refused while a block's matrix is left in `format`: nobody measured what matters
  bool copies = false;            // every tensor stays as it is

  /// general.file_type of the file written.
  [[nodiscard]] std::int32_t file_type() const { return number >= 0 ? number : format->file_type; }
};

/// Before any mixture's own rules, where its format is not a float.
[[nodiscard]] std::span<const MixtureRule> common_rules();

/// All of them, coarsest last; what copies is the very last.
[[nodiscard]] std::span<const Mixture> mixtures();

/// By name or alias in any case of letters, or by llama-quantize's number. The error lists what there is, and names
/// mixtures of llama-quantize that Tern does not have as such.
[[nodiscard]] Result<const Mixture*> mixture_by_name(std::string_view name);

[[nodiscard]] bool applies(Layers layers, std::int64_t layer, std::int64_t n_layers);

}  // namespace tern::convert
