#include "sys/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "sys/denormals.hpp"
#include "sys/signals.hpp"

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

/// Fetches into the core's second cache what is left of `ahead`, until `value` differs from `seen`.
void fetch_meanwhile(ThreadPool::Ahead& ahead, const std::atomic<std::uint32_t>& value, std::uint32_t seen) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kAtOnce = 16 * kLine;  // takes well below a microsecond
  while (!ahead.empty() && value.load(std::memory_order_acquire) == seen) {
    const std::size_t n = std::min(kAtOnce, ahead.size());
    for (std::size_t i = 0; i < n; i += kLine) __builtin_prefetch(ahead.data() + i, 0, 2);
    ahead = ahead.subspan(n);
  }
}

}  // namespace

// A step belongs to the threads that come to it. The caller opens the gate, works, closes the gate when no chunk is
// left, and waits only for workers that came in: one that the system has not given a core to yet holds nobody up, which
// is what keeps a step cheap beside other busy processes.
struct ThreadPool::State {
  static constexpr std::uint32_t kOpen = std::uint32_t{1} << 31;

  std::atomic<std::uint32_t> step{0};  // bumped when work appears (or the pool ends)
  std::atomic<std::uint32_t> gate{0};  // kOpen, and below it the number of workers inside
  struct alignas(64) Share {           // chunks of one thread's own that nobody has taken yet
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };
  std::vector<Share> shares;     // by thread
  std::span<const Ahead> ahead;  // by thread; empty where the step names none
  Ahead ahead_of_caller;         // what is left of it
  std::int64_t n = 0;
  std::int64_t chunk = 1;
  const std::function<void(std::int64_t, std::int64_t)>* body = nullptr;
  std::atomic<bool> stop{false};
  std::atomic_flag has_error;
  std::exception_ptr error;  // the first one thrown by the body
  std::vector<std::jthread> workers;

  void run_chunks(std::size_t thread) noexcept {
    try {
      for (std::size_t i = 0; i < shares.size(); ++i) {
        Share& share = shares[(thread + i) % shares.size()];
        while (share.next.load(std::memory_order_relaxed) < share.end) {
          const std::int64_t begin = share.next.fetch_add(1, std::memory_order_relaxed) * chunk;
          if (begin >= share.end * chunk) break;
          (*body)(begin, std::min(begin + chunk, n));
        }
      }
    } catch (...) {
      if (!has_error.test_and_set(std::memory_order_relaxed)) error = std::current_exception();
    }
  }

  [[nodiscard]] bool enter() {
    std::uint32_t inside = gate.load(std::memory_order_acquire);
    while ((inside & kOpen) != 0) {
      if (gate.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel, std::memory_order_acquire))
        return true;
    }
    return false;
  }

  void leave() {
    if (gate.fetch_sub(1, std::memory_order_acq_rel) == 1) gate.notify_one();  // the last, of a gate that is closed
  }

  void work(std::size_t thread) {
    std::uint32_t seen = 0;
    Ahead mine;
    for (;;) {
      fetch_meanwhile(mine, step, seen);
      wait_for_change(step, seen);
      seen = step.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_acquire)) return;
      if (!enter()) continue;
      if (!ahead.empty()) mine = ahead[thread];
      run_chunks(thread);
      leave();
    }
  }
};

ThreadPool::ThreadPool(int n_threads, Denormals denormals)
    : n_threads_(std::max(1, n_threads)), denormals_(denormals), state_(std::make_unique<State>()) {
  std::optional<DenormalsAreZero> inherited;
  if (denormals == Denormals::zero) inherited.emplace();
  const InterruptsHeld held;
  try {
    for (int i = 1; i < n_threads_; ++i) {
      state_->workers.emplace_back([state = state_.get(), i] { state->work(static_cast<std::size_t>(i)); });
    }
  } catch (const std::system_error&) {  // the system gives no more threads: fewer give the same results
    n_threads_ = 1 + static_cast<int>(state_->workers.size());
  }
  state_->shares = std::vector<State::Share>(static_cast<std::size_t>(n_threads_));
}

ThreadPool::~ThreadPool() {
  state_->stop.store(true, std::memory_order_release);
  state_->step.fetch_add(1, std::memory_order_release);
  state_->step.notify_all();
}

void ThreadPool::parallel_for(std::int64_t n, std::int64_t chunk,
                              const std::function<void(std::int64_t, std::int64_t)>& body,
                              std::span<const Ahead> ahead) {
  TERN_CHECK(chunk > 0);
  std::optional<DenormalsAreZero> mode;
  if (denormals_ == Denormals::zero) mode.emplace();
  run(n, chunk, body, ahead);
}

void ThreadPool::run(std::int64_t n, std::int64_t chunk, const std::function<void(std::int64_t, std::int64_t)>& body,
                     std::span<const Ahead> ahead) {
  if (n <= 0) return;
  if (n_threads_ == 1 || n <= chunk) {
    for (std::int64_t begin = 0; begin < n; begin += chunk) body(begin, std::min(begin + chunk, n));
    return;
  }
  State& s = *state_;
  s.n = n;
  s.chunk = chunk;
  s.body = &body;
  const std::int64_t n_chunks = (n + chunk - 1) / chunk;
  for (int t = 0; t < n_threads_; ++t) {
    State::Share& share = s.shares[static_cast<std::size_t>(t)];
    share.next.store(first_chunk(n_chunks, t), std::memory_order_relaxed);
    share.end = first_chunk(n_chunks, t + 1);
  }
  TERN_CHECK(ahead.empty() || std::ssize(ahead) == n_threads_);
  s.ahead = ahead;
  if (!ahead.empty()) s.ahead_of_caller = ahead.front();
  s.gate.store(State::kOpen, std::memory_order_release);
  s.step.fetch_add(1, std::memory_order_release);
  s.step.notify_all();
  s.run_chunks(0);
  std::uint32_t inside = s.gate.fetch_and(~State::kOpen, std::memory_order_acq_rel) & ~State::kOpen;
  while (inside != 0) {
    fetch_meanwhile(s.ahead_of_caller, s.gate, inside);
    wait_for_change(s.gate, inside);
    inside = s.gate.load(std::memory_order_acquire);
  }
  if (s.error) {
    s.has_error.clear(std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(s.error, nullptr));
  }
}

}  // namespace tern::sys
