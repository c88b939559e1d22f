// Any bytes as a config.json: read by the class it names, the architecture found, its plan written when it is small.
#include <cstddef>
#include <cstdint>
#include <span>

#include "models/all.hpp"
#include "models/hf_config.hpp"
#include "one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  using namespace tern;
  const auto config = models::read_hf_config(std::as_bytes(std::span(data, n_bytes)));
  if (!config) {
    tern::fuzz::check_one_line(config.error());
    return 0;
  }
  const auto architecture = models::for_config(*config);
  if (!architecture) {
    tern::fuzz::check_one_line(architecture.error());
    return 0;
  }
  const models::HyperParameters& p = config->parameters;
  if (p.n_layers > 4) return 0;
  const models::Plan plan = (*architecture)->plan(p);
  TERN_CHECK(!plan.tensors.empty());
  if (config->llama3_rope && p.n_rotary < 1 << 16) {
    TERN_CHECK(!models::llama3_rope_factors(*config->llama3_rope, p.n_rotary, p.rope_base).empty());
  }
  return 0;
}
