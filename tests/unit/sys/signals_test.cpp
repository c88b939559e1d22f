// Interrupts find the thread that watches, on a stack of their own.
#include "sys/signals.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <thread>

#include "sys/thread_pool.hpp"

namespace tern::sys {
namespace {

TEST(Signals, AreHandledOnAStackOfTheirOwn) {
  watch_interrupts();
  stack_t stack{};
  ASSERT_EQ(sigaltstack(nullptr, &stack), 0);
  EXPECT_EQ(stack.ss_flags & SS_DISABLE, 0);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action{};
    ASSERT_EQ(sigaction(number, nullptr, &action), 0);
    EXPECT_NE(action.sa_flags & SA_ONSTACK, 0) << number;
    EXPECT_EQ(action.sa_flags & SA_RESTART, 0) << "a waiting read returns";
  }
  ASSERT_FALSE(interrupted());
  ASSERT_EQ(std::raise(SIGTERM), 0);
  EXPECT_EQ(interrupt_signal(), SIGTERM);
  clear_interrupt();
}

TEST(Signals, AreHeldFromTheThreadsOfAPool) {
  ThreadPool pool(3);
  const pthread_t caller = pthread_self();
  std::atomic<int> n_others = 0;
  std::atomic<int> n_inside = 0;
  pool.parallel_for(pool.n_threads(), 1, [&](std::int64_t, std::int64_t) {
    sigset_t held;
    EXPECT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &held), 0);
    const bool holds = sigismember(&held, SIGINT) == 1 && sigismember(&held, SIGTERM) == 1;
    EXPECT_EQ(holds, pthread_equal(pthread_self(), caller) == 0);
    if (holds) ++n_others;
    // Everybody stays until all are here, so that each thread comes once.
    for (++n_inside; n_inside < pool.n_threads();) std::this_thread::yield();
  });
  EXPECT_EQ(n_others, pool.n_threads() - 1);
}

}  // namespace
}  // namespace tern::sys
