// Which processor each thread of a burst runs on. Left alone, a busy system wakes two threads on one processor and a
// burst of milliseconds is over before it finds out; so threads are kept apart, on cores of their own while there are
// enough, and moved on from time to time, since the processor next door may be the quieter one.
#pragma once

#include <cstdint>
#include <vector>

namespace limits {

class Places {
 public:
  /// groups[0]: one processor of each core; groups[1]: the second ones of cores that have two, and so on.
  Places(std::vector<std::vector<int>> groups, int n_threads);
  /// The processors that this process may run on.
  static Places of_this_process(int n_threads);

  /// The processor for a thread in a burst; -1: wherever the system likes (more threads than processors). Threads of
  /// one burst have different ones.
  int processor(int thread, std::uint32_t burst) const;

 private:
  std::vector<int> processors_;  // n_threads stretches of width_ neighbours each, and perhaps some over
  std::uint32_t width_ = 0;
};

/// Keeps the calling thread on a processor; nothing happens for -1, or where the system does not allow it.
void stay_on(int processor);

}  // namespace limits
