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
  // As if one thread were ours and the others somebody else's.
  const double lost = watch.share_lost(1);
  const double among_ourselves = watch.share_lost(static_cast<int>(n));
  stop = true;
  // Four threads a processor: together they wait for three times what one could run.
  EXPECT_GT(lost, 0.3);
  EXPECT_LE(lost, 1.0);
  EXPECT_LT(among_ourselves, 0.3) << "more threads than cores wait for each other";
}

TEST(BusyWatch, ASleepingProcessLosesNothing) {
  const BusyWatch watch;
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LT(watch.share_lost(1), 0.5);
  EXPECT_EQ(watch.share_lost(0), 0.0);
}

}  // namespace
}  // namespace tern::sys
