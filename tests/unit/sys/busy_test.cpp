// That time taken by others is seen: threads that outnumber the processors wait for one another.
#include "sys/busy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

namespace tern::sys {
namespace {

TEST(BusyWatch, SeesThreadsThatWaitForAProcessor) {
  std::ifstream schedstat("/proc/self/schedstat");
  double running = 0.0;
  if (!(schedstat >> running)) GTEST_SKIP() << "this kernel does not say how long threads waited (schedstat)";
  const unsigned n = 4 * std::max(1U, std::thread::hardware_concurrency());
  std::atomic<bool> stop = false;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < n; ++i) {
    threads.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  }
  const BusyWatch watch;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double lost = watch.share_lost(static_cast<int>(n));
  stop = true;
  // Four threads a processor: each waits about three quarters of its time.
  EXPECT_GT(lost, 0.3);
  EXPECT_LE(lost, 1.0);
}

TEST(BusyWatch, ASleepingProcessLosesNothing) {
  const BusyWatch watch;
  EXPECT_GE(watch.share_lost(1), 0.0);
  EXPECT_EQ(watch.share_lost(0), 0.0);
}

}  // namespace
}  // namespace tern::sys
