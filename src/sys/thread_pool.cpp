#include "sys/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace tern::sys {
namespace {

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `value` differs from `seen`: about 2 microseconds of spinning, a few yields, then sleep.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t seen) {
  for (int i = 0; i < 64; ++i) {
    if (value.load(std::memory_order_acquire) != seen) return;
    pause_briefly();
  }
  for (int i = 0; i < 32; ++i) {
    if (value.load(std::memory_order_acquire) != seen) return;
    std::this_thread::yield();
  }
  value.wait(seen, std::memory_order_acquire);
}

}  // namespace

struct ThreadPool::State {
  std::atomic<std::uint32_t> step{0};      // bumped when work appears (or the pool ends)
  std::atomic<std::uint32_t> finished{0};  // bumped by the last worker of a step
  std::atomic<int> running{0};             // workers that have not finished the step
  std::atomic<std::int64_t> next{0};
  std::int64_t n = 0;
  std::int64_t chunk = 1;
  const std::function<void(std::int64_t, std::int64_t)>* body = nullptr;
  bool stop = false;
  std::atomic_flag has_error;
  std::exception_ptr error;  // the first one thrown by the body
  std::vector<std::jthread> workers;

  void run_chunks() noexcept {
    try {
      for (;;) {
        const std::int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
        if (begin >= n) return;
        (*body)(begin, std::min(begin + chunk, n));
      }
    } catch (...) {
      if (!has_error.test_and_set(std::memory_order_relaxed)) error = std::current_exception();
    }
  }

  void work() {
    std::uint32_t seen = 0;
    for (;;) {
      wait_for_change(step, seen);
      ++seen;
      if (stop) return;
      run_chunks();
      if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        finished.fetch_add(1, std::memory_order_release);
        finished.notify_one();
      }
    }
  }
};

ThreadPool::ThreadPool(int n_threads) : n_threads_(std::max(1, n_threads)), state_(std::make_unique<State>()) {
  try {
    for (int i = 1; i < n_threads_; ++i) state_->workers.emplace_back([state = state_.get()] { state->work(); });
  } catch (const std::system_error&) {  // the system gives no more threads: fewer give the same results
    n_threads_ = 1 + static_cast<int>(state_->workers.size());
  }
}

ThreadPool::~ThreadPool() {
  state_->stop = true;
  state_->step.fetch_add(1, std::memory_order_release);
  state_->step.notify_all();
}

void ThreadPool::parallel_for(std::int64_t n, std::int64_t chunk,
                              const std::function<void(std::int64_t, std::int64_t)>& body) {
  TERN_CHECK(chunk > 0);
  if (n <= 0) return;
  if (n_threads_ == 1 || n <= chunk) {
    for (std::int64_t begin = 0; begin < n; begin += chunk) body(begin, std::min(begin + chunk, n));
    return;
  }
  State& s = *state_;
  s.n = n;
  s.chunk = chunk;
  s.body = &body;
  s.next.store(0, std::memory_order_relaxed);
  s.running.store(n_threads_ - 1, std::memory_order_relaxed);
  const std::uint32_t seen = s.finished.load(std::memory_order_relaxed);
  s.step.fetch_add(1, std::memory_order_release);
  s.step.notify_all();
  s.run_chunks();
  wait_for_change(s.finished, seen);
  if (s.error) {
    s.has_error.clear(std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(s.error, nullptr));
  }
}

}  // namespace tern::sys
