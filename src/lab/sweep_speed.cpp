// Implementation of sweep_speed.hpp.
#include "lab/sweep_speed.hpp"

#include <algorithm>
#include <vector>

#include "engine/session.hpp"
#include "sys/clock.hpp"

namespace tern::lab {

SpeedProtocol fitting_protocol(std::int64_t n_ctx_train, int n_threads) {
  SpeedProtocol protocol;
  protocol.n_prompt = std::clamp<std::int64_t>(n_ctx_train / 2, 1, protocol.n_prompt);
  protocol.n_generate = std::clamp<std::int64_t>(n_ctx_train - protocol.n_prompt, 1, protocol.n_generate);
  protocol.n_threads = n_threads;
  return protocol;
}

Result<Speed> measure_speed(std::shared_ptr<const engine::Model> model, std::span<const std::int32_t> ids,
                            const SpeedProtocol& protocol, const Progress& progress) {
  TERN_CHECK(!ids.empty());
  TERN_TRY(const auto session,
           engine::Session::make(std::move(model),
                                 {.n_threads = protocol.n_threads, .n_ctx = protocol.n_prompt + protocol.n_generate}));
  const auto id = [&](std::int64_t i) { return ids[static_cast<std::size_t>(i) % ids.size()]; };
  std::vector<engine::BatchItem> prompt;
  for (std::int64_t i = 0; i < protocol.n_prompt; ++i) {
    prompt.push_back({id(i), static_cast<std::int32_t>(i), 0, i + 1 == protocol.n_prompt});
  }
  const auto read_prompt = [&]() -> Result<void> {
    session->truncate(0, 0);
    return session->decode(prompt);
  };
  const auto generate = [&]() -> Result<void> {
    session->truncate(0, protocol.n_prompt);
    for (std::int64_t i = protocol.n_prompt; i < protocol.n_prompt + protocol.n_generate; ++i) {
      const engine::BatchItem item{id(i), static_cast<std::int32_t>(i), 0, true};
      TERN_TRY_DO(session->decode({&item, 1}));
    }
    return {};
  };
  const auto rate = [&](std::int64_t n_tokens, const auto& work) -> Result<double> {
    const sys::Stopwatch clock;
    std::int64_t done = 0;
    double seconds = 0.0;
    do {
      TERN_TRY_DO(work());
      if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped while measuring speed");
      done += n_tokens;
      seconds = clock.seconds();
    } while (seconds < protocol.seconds);
    return static_cast<double>(done) / seconds;
  };
  TERN_TRY_DO(read_prompt());
  TERN_TRY_DO(generate());
  Speed speed;
  TERN_TRY(speed.prefill, rate(protocol.n_prompt, read_prompt));
  TERN_TRY(speed.generation, rate(protocol.n_generate, generate));
  return speed;
}

}  // namespace tern::lab
