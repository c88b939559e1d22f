#include "cli/sampling_options.hpp"

#include <CLI/CLI.hpp>
#include <random>

namespace tern::cli {

void SamplingOptions::declare(CLI::App& app) {
  const engine::SamplerOptions defaults;
  app.add_option("--temp", sampler.temperature,
                 fmt::format("temperature; 0 is greedy (default {})", defaults.temperature))
      ->type_name("T");
  app.add_option("--top-k", sampler.top_k,
                 fmt::format("draw from the k likeliest tokens; 0: all (default {})", defaults.top_k))
      ->type_name("K");
  app.add_option("--top-p", sampler.top_p,
                 fmt::format("draw from the fewest tokens that hold this share; 1: all (default {})", defaults.top_p))
      ->type_name("P");
  app.add_option("--min-p", sampler.min_p,
                 fmt::format("drop tokens below this share of the likeliest; 0: none (default {})", defaults.min_p))
      ->type_name("P");
  app.add_option("--repeat-penalty", sampler.repeat_penalty,
                 fmt::format("above 1: recent tokens become less likely (default {})", defaults.repeat_penalty))
      ->type_name("R");
  app.add_option("--repeat-last-n", sampler.repeat_last_n,
                 fmt::format("how many tokens are recent; -1: all (default {})", defaults.repeat_last_n))
      ->type_name("N");
  app.add_option("-s,--seed", seed, "the same seed gives the same text; -1: at random (default -1)")->type_name("SEED");
}

Result<engine::SamplerOptions> SamplingOptions::resolve() const {
  TERN_TRY_DO(engine::check(sampler));
  if (seed < -1) return fail(ErrorCode::usage, "--seed is {}, expected 0 or more, or -1 for a random one", seed);
  engine::SamplerOptions out = sampler;
  // 32 bits, so that a seed can be read aloud and typed again.
  out.seed = seed >= 0 ? static_cast<std::uint64_t>(seed) : static_cast<std::uint64_t>(std::random_device{}());
  return out;
}

}  // namespace tern::cli
