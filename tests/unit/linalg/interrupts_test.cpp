// Ctrl-C in the middle of a product: oneDNN's generated code lets the stack pointer point into the heap, so a handler
// that ran on the thread's own stack would overwrite what lies there (the program then dies a moment later). OpenBLAS's
// has no such habit, and shall not get it unnoticed.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "linalg/blas.hpp"
#include "sys/signals.hpp"

namespace tern::linalg {
namespace {

/// Sends SIGINT to the thread that made it, again whenever the last one was seen.
class Interrupter {
 public:
  Interrupter()
      : sender_([this, watcher = ::pthread_self()](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            std::this_thread::sleep_for(std::chrono::microseconds(20 + 7 * (n_sent_++ % 13)));
            if (!wanted_.exchange(false)) continue;
            ::pthread_kill(watcher, SIGINT);
          }
        }) {}

  /// True when one came since the last call.
  bool seen() {
    if (!sys::interrupted()) return false;
    sys::clear_interrupt();
    wanted_ = true;
    return true;
  }

  /// None is on its way afterwards.
  void wait_for_the_last() {
    while (!sys::interrupted()) std::this_thread::sleep_for(std::chrono::microseconds(50));
    sys::clear_interrupt();
  }

 private:
  std::atomic<bool> wanted_{true};
  int n_sent_ = 0;
  std::jthread sender_;
};

constexpr char kMark = 0x5a;

/// Marked blocks of all sizes with holes between them, so that what is allocated next has neighbours.
std::vector<std::vector<char>> heap_with_holes() {
  std::vector<std::vector<char>> blocks;
  std::vector<std::unique_ptr<char[]>> holes;
  for (std::size_t i = 0; i < 200; ++i) {
    blocks.emplace_back(1000 + 16 * i, kMark);
    holes.push_back(std::make_unique<char[]>(500 + 200 * i));
  }
  return blocks;
}

class Interrupts : public ::testing::TestWithParam<std::tuple<Matmul, bool, bool>> {};

TEST_P(Interrupts, DoNotTouchAProductNorTheHeap) {
  const auto [matmul, a_transposed, b_transposed] = GetParam();
  const auto blas = Blas::load(matmul);
  if (!blas) GTEST_SKIP() << "SKIPPED: " << blas.error().message;
  constexpr std::int64_t kM = 64;
  constexpr std::int64_t kN = 64;
  constexpr std::int64_t kK = 384;
  std::vector<float> a(kM * kK);
  std::vector<float> b(kN * kK);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i * 7 % 31) - 15.0F;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i * 11 % 29) - 14.0F;
  const auto product = [&](std::vector<float>& c) {
    blas->multiply(kM, kN, kK, 1.0F, {a.data(), a_transposed ? kM : kK, a_transposed},
                   {b.data(), b_transposed ? kK : kN, b_transposed}, 0.0F, c.data(), kN);
  };
  std::vector<float> want(kM * kN);
  product(want);

  const std::vector<std::vector<char>> neighbours = heap_with_holes();
  sys::watch_interrupts();
  {
    Interrupter interrupter;
    for (int n_seen = 0; n_seen < 1000;) {
      std::vector<float> c(kM * kN);  // of the heap, every time
      product(c);
      ASSERT_EQ(c, want);
      if (interrupter.seen()) ++n_seen;
    }
    interrupter.wait_for_the_last();
  }
  for (const auto& neighbour : neighbours) ASSERT_EQ(std::ranges::count(neighbour, kMark), std::ssize(neighbour));
}

INSTANTIATE_TEST_SUITE_P(Products, Interrupts,
                         ::testing::Combine(::testing::Values(Matmul::openblas, Matmul::onednn), ::testing::Bool(),
                                            ::testing::Bool()),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param) == Matmul::openblas ? "OpenBLAS" : "oneDNN") +
                                  (std::get<1>(one.param) ? "_T" : "_N") + (std::get<2>(one.param) ? "T" : "N");
                         });

}  // namespace
}  // namespace tern::linalg
