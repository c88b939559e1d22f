// Whether other programs had the processor while something was timed. The system counts two things: time that the
// hypervisor gave to other machines ("steal", of all processors), and time that threads of this process stood ready to
// run while others ran. Both are 0 where the system does not say.
#pragma once

namespace tern::sys {

class BusyWatch {
 public:
  /// Starts counting.
  BusyWatch();

  /// Share of the processor time of n_threads since the start that went to others, 0 to 1: the sum of both counts over
  /// n_threads times the time that passed.
  [[nodiscard]] double share_lost(int n_threads) const;

 private:
  double stolen_ = 0.0;   // seconds at the start
  double waiting_ = 0.0;  // seconds at the start
  double started_ = 0.0;
};

}  // namespace tern::sys
