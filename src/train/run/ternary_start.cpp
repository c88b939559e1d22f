#include "train/run/ternary_start.hpp"

#include <algorithm>
#include <cmath>

namespace tern::train {
namespace {

bool raise(std::span<float> values) {
  float scale = 0.0F;
  for (const float value : values) scale = std::max(scale, std::fabs(value));
  std::int64_t n_used = 0;
  for (const float value : values) {
    if (value == 0.0F) continue;
    if (std::fabs(value) != scale) return false;
    ++n_used;
  }
  if (n_used == 0 || n_used == std::ssize(values)) return false;  // its mean is the scale already
  const auto raised =
      static_cast<float>(static_cast<double>(scale) * static_cast<double>(values.size()) / static_cast<double>(n_used));
  for (float& value : values) {
    if (value != 0.0F) value = std::copysign(raised, value);
  }
  return true;
}

}  // namespace

std::int64_t raise_ternary_values(Parameters& parameters, const QuantizerOptions& options) {
  if (options.weights == nullptr || !options.weights->scale_is_mean) return 0;
  std::int64_t n_raised = 0;
  for (const auto& parameter : parameters.all()) {
    if (parameter->role != models::TensorRole::linear || parameter->shape.is_vector()) continue;
    const auto all = parameter->master.span();
    const std::size_t group = options.group == 0 ? all.size() : static_cast<std::size_t>(options.group);
    for (std::size_t i = 0; i < all.size(); i += group) n_raised += raise(all.subspan(i, group)) ? 1 : 0;
  }
  return n_raised;
}

}  // namespace tern::train
