// Two steps to a common start: the caller wakes the threads (which takes tens of microseconds each), and the awake ones
// spin until all are there, so that the clock starts when all can run. With more threads than processors the spinning
// yields.
#include "crew.hpp"

#include <algorithm>

namespace limits {

namespace {

constexpr int kSpinsBeforeYield = 2000;
// On a busy processor the scheduler lets those go first that have rested, and lets them finish a short burst.
constexpr std::chrono::milliseconds kRest{1};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Crew::Crew(int n) : n_(n), places_(Places::of_this_process(n)), shifts_(static_cast<std::size_t>(n)) {
  try {
    for (int i = 0; i < n; ++i) threads_.emplace_back([this, i] { serve(i); });
  } catch (...) {
    dismiss();
    throw;
  }
}

Crew::~Crew() {
  dismiss();
}

void Crew::dismiss() {
  stop_ = true;
  burst_.fetch_add(1);
  burst_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

double Crew::run(const std::function<void(int)>& work) {
  std::this_thread::sleep_for(kRest);
  work_ = &work;
  ready_ = 0;
  done_ = 0;
  burst_.fetch_add(1);
  burst_.notify_all();
  for (std::uint32_t seen = done_; seen != static_cast<std::uint32_t>(n_); seen = done_) done_.wait(seen);
  auto first = shifts_[0].start;
  auto last = shifts_[0].end;
  for (const Shift& shift : shifts_) {
    first = std::min(first, shift.start);
    last = std::max(last, shift.end);
  }
  return std::chrono::duration<double>(last - first).count();
}

void Crew::serve(int thread) {
  Shift& shift = shifts_[static_cast<std::size_t>(thread)];
  int place = -1;
  for (std::uint32_t burst = 0;;) {
    if (const int next = places_.processor(thread, burst); next != place) stay_on(place = next);
    burst_.wait(burst);
    ++burst;
    if (stop_) return;
    ready_.fetch_add(1);
    for (int spins = 0; ready_.load(std::memory_order_acquire) != static_cast<std::uint32_t>(n_); ++spins) {
      if (spins < kSpinsBeforeYield) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
    shift.start = std::chrono::steady_clock::now();
    (*work_)(thread);
    shift.end = std::chrono::steady_clock::now();
    if (done_.fetch_add(1) + 1 == static_cast<std::uint32_t>(n_)) done_.notify_one();
  }
}

}  // namespace limits
