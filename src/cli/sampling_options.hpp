// How the next token is chosen, with llama.cpp's option names: shared by every command that writes text.
#pragma once

#include <cstdint>

#include "engine/sampler.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

struct SamplingOptions {
  engine::SamplerOptions sampler;
  std::int64_t seed = -1;  // -1: drawn at random

  /// --temp, --top-k, --top-p, --min-p, --repeat-penalty, --repeat-last-n, -s/--seed
  void declare(CLI::App& app);
  /// Checked, with a seed drawn where none was given. Errors: usage.
  [[nodiscard]] Result<engine::SamplerOptions> resolve() const;
};

}  // namespace tern::cli
