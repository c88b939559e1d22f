// A pool for short parallel steps (microseconds to milliseconds) that waits politely: workers spin for a few
// microseconds, then yield, then sleep on a futex, so another process on the machine costs its share and no more.
//
// The pool never decides what is computed: work is an index range cut into chunks, and the result of a chunk must not
// depend on who runs it. That is how every number of threads gives the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace tern::sys {

class ThreadPool {
 public:
  /// n_threads >= 1 counts the calling thread; 1 runs everything inline. Fewer where the system gives no more.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int n_threads() const { return n_threads_; }

  /// Calls body(begin, end) for consecutive chunks of at most `chunk` covering [0, n), from any of the threads, and
  /// returns when all are done. Chunks are handed out dynamically. Not reentrant; one caller at a time. What the body
  /// throws (no memory) comes out here, when no thread is in the body any more.
  void parallel_for(std::int64_t n, std::int64_t chunk, const std::function<void(std::int64_t, std::int64_t)>& body);

 private:
  struct State;
  int n_threads_;
  std::unique_ptr<State> state_;
};

}  // namespace tern::sys
