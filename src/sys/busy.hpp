// Whether other programs had the processor while something was timed. The system counts two things: time that the
// hypervisor gave to other machines ("steal", of all processors), and time that threads of this process stood ready to
// run while others ran. Both are 0 where the system does not say.
#pragma once

#include "sys/clock.hpp"

namespace tern::sys {

class BusyWatch {
 public:
  /// Starts counting.
  BusyWatch();

  /// Share of the processor time since the start that went to others, 0 to 1: what was stolen, of all processors'
  /// time, and what threads of this process waited, of n_threads' time. With more threads than cores they wait for each
  /// other, and only what was stolen counts. The system counts stolen time in ticks of mostly 10 ms: below half a
  /// second, a small share is not seen.
  [[nodiscard]] double share_lost(int n_threads) const;

 private:
  double stolen_ = 0.0;   // seconds at the start
  double waiting_ = 0.0;  // seconds at the start
  Stopwatch clock_;
};

}  // namespace tern::sys
