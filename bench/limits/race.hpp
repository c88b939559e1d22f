// Many short bursts of several loops that do the same work, taken in turns so that a busy minute hits all of them
// alike; after a while only the fastest go on. What stays is each loop's best and median.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "limits.hpp"

namespace limits {

/// How much work fills a burst: learnt from the fastest one so far.
class Pace {
 public:
  /// Work is counted in any unit; a burst has at least `least` and at most `most` of it.
  Pace(double least, double most) : least_(least), most_(most), work_(least) {}

  double work() const { return work_; }
  void learn(double work, double seconds);

 private:
  double least_, most_, work_;
  double best_rate_ = 0;
};

struct Runner {
  std::string_view loop;
  std::function<double()> burst;  // one burst: its rate, in the quantity's unit; below 0: it went wrong, stop
};

/// Attempts, fastest first; empty if a burst went wrong. At least five bursts of each of the fastest three runners, two
/// of the others, however short the time.
std::vector<Attempt> race(const std::vector<Runner>& runners, double seconds);

}  // namespace limits
