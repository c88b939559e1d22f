// Implementation of bench_repeat.hpp.
#include "lab/bench_repeat.hpp"

#include <fmt/format.h>

namespace tern::lab {

Result<std::vector<Repetitions>> run_interleaved(std::size_t n_tests, int n_repetitions, const RunTest& run_test,
                                                 std::uint64_t done, Progress& progress) {
  std::vector<Repetitions> all(n_tests);
  int n_again = 0;
  int n_disturbed = 0;
  for (int r = 0; r < n_repetitions; ++r) {
    for (std::size_t test = 0; test < n_tests; ++test) {
      Timed best;
      for (int retry = 0; retry <= kMostRetries; ++retry) {
        if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped while measuring");
        TERN_TRY(const Timed timed, run_test(test));
        if (retry == 0 || timed.share_lost < best.share_lost) best = timed;
        if (best.share_lost <= kDisturbedShare) break;
        if (retry < kMostRetries) ++n_again;
      }
      all[test].seconds.push_back(best.seconds);
      if (best.share_lost > kDisturbedShare) {
        ++all[test].disturbed;
        ++n_disturbed;
      }
      progress.update(++done);
    }
  }
  if (n_again > 0) {
    progress.note(
        fmt::format("the machine was busy: {} of the runs were made again; {} of {} repetitions stayed disturbed",
                    n_again, n_disturbed, n_tests * static_cast<std::size_t>(n_repetitions)));
  }
  return all;
}

}  // namespace tern::lab
