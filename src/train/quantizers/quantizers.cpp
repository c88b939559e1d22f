#include "train/quantizers/quantizers.hpp"

#include <algorithm>

#include "base/words.hpp"

namespace tern::train {

std::vector<std::string_view> weight_quantizer_names() {
  std::vector<std::string_view> names{"none"};
  for (const WeightQuantizer* quantizer : kWeightQuantizers) names.push_back(quantizer->name);
  return names;
}

Result<const WeightQuantizer*> weight_quantizer_by_name(std::string_view name) {
  if (name == "none") return nullptr;
  const auto found = std::ranges::find(kWeightQuantizers, name, &WeightQuantizer::name);
  if (found != kWeightQuantizers.end()) return *found;
  const auto names = weight_quantizer_names();
  return fail(ErrorCode::usage, "unknown weight quantiser \"{}\"{}: there are {}", printable(name),
              did_you_mean(name, names), fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace tern::train
