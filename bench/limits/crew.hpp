// Threads that do one piece of work together, over and over, and say how long each time took: from the start of the
// first to the end of the last. They sleep between bursts, and the caller sleeps during one, so that nobody's waiting
// takes a processor from the work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "places.hpp"

namespace limits {

class Crew {
 public:
  /// Starts n threads. Throws std::system_error where the system has none left.
  explicit Crew(int n);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int size() const { return n_; }

  /// Runs work(0) ... work(size() - 1), each in its thread, all let go at once. Seconds. work must not throw.
  double run(const std::function<void(int)>& work);

 private:
  struct alignas(64) Shift {
    std::chrono::steady_clock::time_point start, end;
  };

  void serve(int thread);
  void dismiss();

  const int n_;
  const Places places_;
  const std::function<void(int)>* work_ = nullptr;
  std::vector<Shift> shifts_;
  alignas(64) std::atomic<std::uint32_t> burst_ = 0;  // counts up; threads sleep on it
  alignas(64) std::atomic<std::uint32_t> ready_ = 0;  // threads awake for this burst: the barrier
  alignas(64) std::atomic<std::uint32_t> done_ = 0;   // threads through with it; the caller sleeps on it
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace limits
