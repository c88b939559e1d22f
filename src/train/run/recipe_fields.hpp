// The list of a recipe's fields: section, key, what it means, where it lives, what it may be.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "train/run/recipe.hpp"

namespace tern::train {

struct RecipeField {
  using Target = std::variant<std::int64_t*, double*, bool*, std::string*, Mixture*>;
  std::string_view section;
  std::string_view key;
  std::string_view help;
  Target target;
  double least = -1e300;  // of numbers
  double most = 1e300;
};

/// Bound to `recipe`, in the order in which they are written.
[[nodiscard]] std::vector<RecipeField> recipe_fields(Recipe& recipe);

}  // namespace tern::train
