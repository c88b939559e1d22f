// Looks architectures up by their GGUF name or by a Hugging Face configuration.
#include <algorithm>
#include <string>
#include <vector>

#include "base/words.hpp"
#include "models/all.hpp"

namespace tern::models {

Result<const Architecture*> by_name(std::string_view name, ArchitectureList architectures) {
  std::vector<std::string_view> known;
  for (const Architecture* architecture : architectures) {
    if (architecture->name == name) return architecture;
    if (std::ranges::find(known, architecture->name) == known.end()) known.push_back(architecture->name);
  }
  return fail(ErrorCode::unsupported, "architecture \"{}\" is not supported; Tern runs {}{}", printable(name),
              fmt::join(known, ", "), did_you_mean(printable(name), known));
}

Result<const Architecture*> for_config(const HfConfig& config, ArchitectureList architectures) {
  std::vector<std::string_view> known;
  for (const Architecture* architecture : architectures) {
    for (const std::string_view name : architecture->hugging_face_classes) {
      if (name == config.class_name && (architecture->describes == nullptr || architecture->describes(config))) {
        return architecture;
      }
      if (std::ranges::find(known, name) == known.end()) known.push_back(name);
    }
  }
  return fail(ErrorCode::unsupported, "class \"{}\" of config.json is not supported; Tern converts {}",
              printable(config.class_name), fmt::join(known, ", "));
}

}  // namespace tern::models
