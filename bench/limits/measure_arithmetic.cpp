// See measure_arithmetic.hpp. The operands are all sorts of bytes (a register of zeros would draw less power than work
// does), the floats small numbers, so that no sum leaves the ordinary range however long it runs.
#include "measure_arithmetic.hpp"

#include <cstring>
#include <vector>

#include "crew.hpp"
#include "race.hpp"

namespace limits {

namespace {

constexpr double kFirstSteps = 1000, kMostSteps = 1e12, kEnoughSeconds = 0.001;
constexpr std::size_t kLine = 64;

struct alignas(kLine) Line {
  std::byte bytes[kLine];
};

/// Operands, then accumulators, from the start of a cache line on.
struct Desk {
  explicit Desk(const ArithmeticLoop& loop)
      : n_operand_bytes(3 * loop.vector_bytes),
        lines((n_operand_bytes + static_cast<std::size_t>(loop.n_accumulators) * loop.vector_bytes) / kLine + 1) {
    std::uint32_t random = 1;
    for (std::size_t i = 0; i < n_operand_bytes; i += 4) {
      random = random * 1664525 + 1013904223;
      const float small = static_cast<float>(random >> 28) / 16 - 0.5F;
      if (loop.of_floats) {
        std::memcpy(operands() + i, &small, 4);
      } else {
        const std::uint32_t mixed = random ^ random >> 16;
        std::memcpy(operands() + i, &mixed, 4);
      }
    }
  }

  std::byte* operands() { return lines[0].bytes; }
  std::byte* accumulators() { return operands() + n_operand_bytes; }

  std::size_t n_operand_bytes;
  std::vector<Line> lines;
};

}  // namespace

std::expected<Measured, std::string> measure_arithmetic(const ArithmeticLoop& loop, int n_threads,
                                                        const Options& options) {
#if defined(__x86_64__)
  if (&loop == &kAmx && !request_amx()) return std::unexpected("the kernel did not grant the tile registers");
#endif
  std::vector<Desk> desks(static_cast<std::size_t>(n_threads), Desk(loop));
  Crew crew(n_threads);
  const auto burst = [&](double steps) {
    return crew.run([&](int thread) {
      Desk& desk = desks[static_cast<std::size_t>(thread)];
      loop.run(static_cast<std::uint64_t>(steps), desk.operands(), desk.accumulators());
    });
  };
  Pace pace(kFirstSteps, kMostSteps);
  for (double seconds = 0; seconds < kEnoughSeconds;) {  // find out how many steps fill a burst; not counted
    const double steps = pace.work();
    seconds = burst(steps);
    pace.learn(steps, seconds);
  }
  const std::vector<Runner> runners = {{"in registers", [&] {
                                          const double steps = pace.work();
                                          const double seconds = burst(steps);
                                          pace.learn(steps, seconds);
                                          return steps * loop.n_accumulators * loop.operations * n_threads / seconds /
                                                 1e9;
                                        }}};
  std::vector<Attempt> attempts = race(runners, options.seconds);
  return Measured{attempts[0].best, attempts[0].median, attempts[0].n_bursts, {}, {}, attempts};
}

}  // namespace limits
