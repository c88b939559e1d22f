// The one list of architectures. Adding one is its file and one line here.
#pragma once

#include <array>

#include "models/architecture.hpp"

namespace tern::models {

extern const Architecture kLlama;
extern const Architecture kBitNet;
extern const Architecture kBitNet25;
extern const Architecture kBitNetB158;
extern const Architecture kGemma3;
extern const Architecture kMistral;
extern const Architecture kQwen2;
extern const Architecture kQwen3;

inline constexpr std::array kAllArchitectures{&kLlama,  &kMistral, &kQwen2,    &kQwen3,
                                              &kGemma3, &kBitNet,  &kBitNet25, &kBitNetB158};

[[nodiscard]] inline ArchitectureList all() {
  return kAllArchitectures;
}

/// The architecture of that GGUF name; an error lists what there is.
[[nodiscard]] Result<const Architecture*> by_name(std::string_view name, ArchitectureList architectures = all());

/// The architecture for a Hugging Face configuration; an error lists the classes there are.
[[nodiscard]] Result<const Architecture*> for_config(const HfConfig& config, ArchitectureList architectures = all());

}  // namespace tern::models
