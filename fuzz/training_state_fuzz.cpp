// A recipe, or the state of a training run out of a checkpoint, from anywhere: no bytes may crash the readers, an error is
// one line, and what they accept is written and read back as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "one_line.hpp"
#include "train/run/run_state.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::train;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recipe = parse_recipe(text, "recipe.json");
  if (recipe) {
    const auto again = parse_recipe(recipe_json(*recipe), "recipe.json");
    TERN_CHECK(again.has_value() && *again == *recipe);
  } else {
    tern::fuzz::check_one_line(recipe.error(), 4000);
  }
  const auto state = parse_run_state(text, "checkpoint");
  if (!state) {
    tern::fuzz::check_one_line(state.error(), 4000);
    return 0;
  }
  const std::string written = run_state_json(*state);
  const auto again = parse_run_state(written, "checkpoint");
  TERN_CHECK(again.has_value() && run_state_json(*again) == written);
  return 0;
}
