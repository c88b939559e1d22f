// A pool for short parallel steps (microseconds to milliseconds) that waits politely: workers spin for a few
// microseconds, then yield, then sleep on a futex, so another process on the machine costs its share and no more.
//
// The pool never decides what is computed: work is an index range cut into chunks, and the result of a chunk must not
// depend on who runs it. That is how every number of threads gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace tern::sys {

/// What the bodies of a pool do with float numbers below 2^-126 (denormals.hpp).
enum class Denormals : std::uint8_t { kept, zero };

class ThreadPool {
 public:
  /// n_threads >= 1 counts the calling thread; 1 runs everything inline. Fewer where the system gives no more.
  explicit ThreadPool(int n_threads, Denormals denormals = Denormals::kept);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int n_threads() const { return n_threads_; }

  /// Bytes that a thread will need in a step to come. Between steps a core waits, for other threads and for what one
  /// thread does alone, and memory would wait with it: so a thread that waits fetches these into its cache.
  using Ahead = std::span<const std::byte>;

  /// Calls body(begin, end) for consecutive chunks of at most `chunk` covering [0, n), from any of the threads, and
  /// returns when all are done. Of N chunks thread t, 0 being the caller, takes those from first_chunk(N, t) on, and
  /// then what others have left. Not reentrant; one caller at a time. What the body throws (no memory) comes out here,
  /// when no thread is in the body any more.
  /// `ahead`: for each thread what it may fetch from when it has nothing left to do in this step; empty, or a step that
  /// the caller runs alone since it has one chunk: go on with what the last one named.
  void parallel_for(std::int64_t n, std::int64_t chunk, const std::function<void(std::int64_t, std::int64_t)>& body,
                    std::span<const Ahead> ahead = {});

  [[nodiscard]] std::int64_t first_chunk(std::int64_t n_chunks, int thread) const {
    return first_chunk(n_chunks, thread, n_threads_);
  }
  /// The same in a pool of so many threads.
  [[nodiscard]] static std::int64_t first_chunk(std::int64_t n_chunks, int thread, int n_threads) {
    return (n_chunks * thread + n_threads - 1) / n_threads;  // rounded up: of few chunks the caller has the first
  }

 private:
  struct State;
  /// Everything in parallel_for but the mode of floats.
  void run(std::int64_t n, std::int64_t chunk, const std::function<void(std::int64_t, std::int64_t)>& body,
           std::span<const Ahead> ahead);

  int n_threads_;
  Denormals denormals_;
  std::unique_ptr<State> state_;
};

}  // namespace tern::sys
