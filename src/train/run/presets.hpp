// Recipes of the field at the size of a laptop, by name: where a person starts from. Each says what it follows and
// where it departs, because a model of a few million parameters wants larger steps than one of a billion.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "train/run/recipe.hpp"

namespace tern::train {

struct Preset {
  std::string_view name;
  Recipe (*recipe)();
};

[[nodiscard]] std::span<const Preset> presets();
/// Errors: usage, with the nearest name.
[[nodiscard]] Result<Recipe> preset_by_name(std::string_view name);
[[nodiscard]] std::vector<std::string_view> preset_names();

}  // namespace tern::train
