// The order of a benchmark: repetitions of all tests interleaved, so that a machine that gets slower or faster meets
// every test alike, and a repetition during which others had the processor is run again. What a test is, is the
// caller's.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "sys/busy.hpp"
#include "sys/clock.hpp"

namespace tern::lab {

/// A repetition counts as disturbed when others had more than this share of the processor time.
inline constexpr double kDisturbedShare = 0.02;
/// A disturbed repetition is run again so often at most.
inline constexpr int kMostRetries = 3;

struct Timed {
  double seconds = 0.0;
  double share_lost = 0.0;  // 0 to 1: sys::BusyWatch
};
/// Runs `work`, which gives Result<void>, under a clock and a watch for others. Errors: those of `work`.
template <class Work>
[[nodiscard]] Result<Timed> timed(int n_threads, Work work) {
  const sys::BusyWatch watch;
  const sys::Stopwatch clock;
  TERN_TRY_DO(work());
  const double seconds = clock.seconds();
  return Timed{.seconds = seconds, .share_lost = watch.share_lost(n_threads)};
}

/// Runs test number `test` once.
using RunTest = std::function<Result<Timed>(std::size_t test)>;

struct Repetitions {
  std::vector<double> seconds;  // [repetitions], in the order they ran; the least disturbed try of each
  int disturbed = 0;            // of these, how many stayed above kDisturbedShare
};

/// For each repetition every test once, in order. Notes how many were run again. `progress` moves by one for each
/// counted run, from `done` on. Errors: those of run_test; cancelled between runs.
[[nodiscard]] Result<std::vector<Repetitions>> run_interleaved(std::size_t n_tests, int n_repetitions,
                                                               const RunTest& run_test, std::uint64_t done,
                                                               Progress& progress);

}  // namespace tern::lab
