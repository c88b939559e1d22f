// Every index exactly once, for every number of threads, chunk and length; thousands of tiny steps; what a body throws.
#include "sys/thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <span>
#include <thread>
#include <vector>

#include "sys/cpu.hpp"
#include "sys/memory.hpp"

namespace tern::sys {
namespace {

/// Holds bodies until so many threads are in one. For a step in which all can come.
class AllTogether {
 public:
  explicit AllTogether(int n_threads) : missing_(n_threads) {}
  void wait() {
    --missing_;
    while (missing_ > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

class ThreadPools : public testing::TestWithParam<int> {};

TEST_P(ThreadPools, VisitEveryIndexExactlyOnceInWholeChunks) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.n_threads(), GetParam());
  for (const std::int64_t n : {0, 1, 2, 7, 8, 9, 63, 64, 65, 1000}) {
    for (const std::int64_t chunk : {1, 2, 7, 8, 64, 1000, 5000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
      std::atomic<int> bad_chunks{0};
      pool.parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
        const bool good = begin % chunk == 0 && begin < end && end <= n && (end - begin == chunk || end == n);
        if (!good) ++bad_chunks;
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      EXPECT_EQ(bad_chunks, 0) << n << " by " << chunk;
      for (std::int64_t i = 0; i < n; ++i)
        ASSERT_EQ(visits[static_cast<std::size_t>(i)], 1) << n << " by " << chunk << " at " << i;
    }
  }
}

TEST_P(ThreadPools, ASeriesOfTinyStepsSeesTheResultOfTheStepBefore) {
  ThreadPool pool(GetParam());
  std::vector<std::int64_t> a(16, 0);
  std::vector<std::int64_t> b(16, 0);
  const int n_steps = GetParam() <= 2 ? 20000 : 2000;  // more threads than cores wait for each other
  for (int step = 0; step < n_steps; ++step) {
    pool.parallel_for(16, 1, [&](std::int64_t begin, std::int64_t) {
      // Each item reads what another thread may have written in the last step.
      b[static_cast<std::size_t>(begin)] = a[static_cast<std::size_t>((begin + 5) % 16)] + 1;
    });
    a.swap(b);
  }
  for (const std::int64_t value : a) EXPECT_EQ(value, n_steps);
}

TEST_P(ThreadPools, StepsThatNameBytesToFetchDoTheSame) {
  ThreadPool pool(GetParam());
  const std::vector<std::byte> weights(100'000);
  const std::span<const std::byte> all(weights);
  for (int step = 0; step < 300; ++step) {
    std::vector<ThreadPool::Ahead> ahead;
    for (int t = 0; t < GetParam(); ++t)  // some nothing, some a byte, some all
      ahead.push_back(all.subspan(step % 3 == 0 ? weights.size() : step % 3 == 1 ? weights.size() - 1 : 0));
    std::vector<std::atomic<int>> visits(37);
    pool.parallel_for(
        37, 2,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        },
        ahead);
    for (const auto& visit : visits) ASSERT_EQ(visit, 1);
    pool.parallel_for(8, 1, [&](std::int64_t begin, std::int64_t) { ++visits[static_cast<std::size_t>(begin)]; });
    ASSERT_EQ(visits[7], 2);
  }
}

TEST_P(ThreadPools, BodiesTreatDenormalNumbersAsThePoolWasTold) {
  volatile float tiny = 1e-40F;
  volatile float small = 1e-38F;
  for (const Denormals denormals : {Denormals::kept, Denormals::zero}) {
    ThreadPool pool(GetParam(), denormals);
    for (const std::int64_t n : {1, 200}) {  // inline and in threads
      std::atomic<int> n_zero{0};
      AllTogether together(n > 1 ? GetParam() : 1);
      pool.parallel_for(n, 1, [&](std::int64_t, std::int64_t) {
        together.wait();
        if (tiny * 2.0F == 0.0F) ++n_zero;    // read as zero
        if (small * 0.01F == 0.0F) ++n_zero;  // becomes zero
      });
      EXPECT_EQ(n_zero, denormals == Denormals::zero ? 2 * n : 0);
    }
    EXPECT_NE(tiny * 2.0F, 0.0F) << "the caller's own floats are as before";
  }
}

TEST_P(ThreadPools, EveryThreadBeginsWithItsOwnShare) {
  ThreadPool pool(GetParam());
  constexpr std::int64_t kChunks = 40;
  std::vector<std::atomic<int>> order(kChunks);
  std::atomic<int> count{0};
  AllTogether together(GetParam());
  pool.parallel_for(kChunks, 1, [&](std::int64_t begin, std::int64_t) {
    order[static_cast<std::size_t>(begin)] = count++;
    together.wait();
  });
  // Nobody goes on before all have come: so the first chunk of each share is among the first that were begun.
  for (int t = 0; t < GetParam(); ++t)
    EXPECT_LT(order[static_cast<std::size_t>(pool.first_chunk(kChunks, t))], GetParam()) << t;
}

TEST_P(ThreadPools, SharesFollowOneAnotherAndCoverAll) {
  ThreadPool pool(GetParam());
  for (const std::int64_t n_chunks : {1, 2, 5, 64}) {
    EXPECT_EQ(pool.first_chunk(n_chunks, 0), 0);
    EXPECT_EQ(pool.first_chunk(n_chunks, GetParam()), n_chunks);
    for (int t = 0; t < GetParam(); ++t) EXPECT_LE(pool.first_chunk(n_chunks, t), pool.first_chunk(n_chunks, t + 1));
  }
}

TEST_P(ThreadPools, WhatTheBodyThrowsComesOutAndThePoolStaysUsable) {
  ThreadPool pool(GetParam());
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(pool.parallel_for(100, 1,
                                   [&](std::int64_t begin, std::int64_t) {
                                     if (begin % 10 == 3) throw std::bad_alloc();
                                   }),
                 std::bad_alloc);
    std::atomic<int> visited{0};
    pool.parallel_for(100, 3, [&](std::int64_t begin, std::int64_t end) { visited += static_cast<int>(end - begin); });
    ASSERT_EQ(visited, 100);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPools, testing::Values(1, 2, 3, 4, 5));

TEST(ThreadPool, ManyPoolsComeAndGo) {
  for (int i = 0; i < 300; ++i) {
    ThreadPool pool(1 + i % 4);
    if (i % 2 == 0) continue;  // one that never worked must end as well
    std::atomic<int> sum{0};
    pool.parallel_for(10, 1, [&](std::int64_t begin, std::int64_t) { sum += static_cast<int>(begin); });
    ASSERT_EQ(sum, 45);
  }
}

TEST(ThreadPool, FewerThanOneThreadIsOne) {
  EXPECT_EQ(ThreadPool(0).n_threads(), 1);
  EXPECT_EQ(ThreadPool(-7).n_threads(), 1);
}

TEST(Machine, HasCoresANameAndMemory) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_FALSE(cpu_name().empty());
  const MemoryUse use = memory_use();
  EXPECT_GT(use.resident, 1U << 20);
  EXPECT_GE(use.peak_resident + (1U << 20),
            use.resident);  // read one after the other, and the kernel counts in batches
  EXPECT_LE(use.resident_anonymous, use.resident + (1U << 20));
  EXPECT_GT(available_memory(), 1U << 20);
}

TEST(Machine, NewerInstructionSetsImplyTheOlderOnes) {
  const CpuFeatures f = cpu_features();
  if (f.avx512bw || f.avx512vl || f.avx512_vnni) {
    EXPECT_TRUE(f.avx512f);
  }
  if (f.avx512f || f.avx_vnni) {
    EXPECT_TRUE(f.avx2);
  }
  if (f.avx2) {
    EXPECT_TRUE(f.sse41);
  }
}

}  // namespace
}  // namespace tern::sys
