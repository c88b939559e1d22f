// The options of the commands that make text, and what they ask of a model: the same in tern run and tern chat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cache_options.hpp"
#include "cli/model_options.hpp"
#include "cli/sampling_options.hpp"
#include "engine/generate.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

struct GenerationOptions {
  std::optional<std::int64_t> n_predict;  // -1: no limit
  ContextOption context;
  CacheOptions cache;
  SamplingOptions sampling;
  std::vector<std::string> stop;
  std::int64_t n_draft = 0;

  /// -n, -c, those of the cache and of sampling, --stop, --draft-max. `n_help` and `stop_help` are their lines of help.
  void declare(CLI::App& app, const std::string& n_help, const std::string& stop_help);
  /// What can be told without the model. Errors: usage.
  [[nodiscard]] Result<engine::SamplerOptions> resolve() const;
};

/// Errors: usage for a model that ends in vectors; `what` it was to make: "text", "answers".
[[nodiscard]] Result<void> makes_text(const engine::Model& model, std::string_view name, std::string_view what);

/// "; 12 of 40 guessed tokens accepted", for a line of timings; empty where nothing was to be guessed.
[[nodiscard]] std::string accepted_drafts(const engine::GenerateResult& result);

/// Tokens a second; 0 where no time passed.
[[nodiscard]] double rate(std::int64_t n_tokens, double seconds);

}  // namespace tern::cli
