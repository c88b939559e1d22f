// How fast a model reads a prompt and generates, as one measurement of a few tenths of a second: the same tokens for
// every format, no sampling, so that only the model's own work is timed. Rounds and their spread are the caller's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/progress.hpp"
#include "engine/model.hpp"

namespace tern::lab {

struct SpeedProtocol {
  std::int64_t n_prompt = 256;
  std::int64_t n_generate = 64;  // one token at a time, after the prompt
  double seconds = 0.25;         // each of the two is repeated until it took at least this long
  int n_threads = 1;
};

struct Speed {
  double prefill = 0.0;  // tokens per second
  double generation = 0.0;
};

/// Prompt and generation lengths that fit a model trained with `n_ctx_train` positions.
[[nodiscard]] SpeedProtocol fitting_protocol(std::int64_t n_ctx_train, int n_threads);

/// `ids` [>= 1] are read round and round. One untimed pass goes first. Errors: those of the session; cancelled.
[[nodiscard]] Result<Speed> measure_speed(std::shared_ptr<const engine::Model> model, std::span<const std::int32_t> ids,
                                          const SpeedProtocol& protocol, const Progress& progress);

}  // namespace tern::lab
