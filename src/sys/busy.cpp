#include "sys/busy.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "sys/cpu.hpp"

namespace tern::sys {
namespace {

/// The eighth number of the line "cpu ..." of /proc/stat (proc(5)), in seconds.
double stolen_seconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  double ticks = 0.0;
  file >> name;
  for (int i = 0; i < 8; ++i) file >> ticks;
  const long per_second = ::sysconf(_SC_CLK_TCK);
  return file && per_second > 0 ? ticks / static_cast<double>(per_second) : 0.0;
}

/// The second number of every thread's schedstat: nanoseconds on a run queue (Linux, sched-stats).
double waiting_seconds() {
  double sum = 0.0;
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/task", error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    std::ifstream file(entry->path() / "schedstat");
    double running = 0.0;
    double waiting = 0.0;
    if (file >> running >> waiting) sum += waiting * 1e-9;
    entry.increment(error);
  }
  return sum;
}

}  // namespace

BusyWatch::BusyWatch() : stolen_(stolen_seconds()), waiting_(waiting_seconds()) {}

double BusyWatch::share_lost(int n_threads) const {
  const double passed = clock_.seconds();
  if (passed <= 0.0 || n_threads < 1) return 0.0;
  const auto per_second = static_cast<double>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  const auto processors = static_cast<double>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  double stolen = stolen_seconds() - stolen_;
  if (stolen < 1.5 / per_second) stolen = 0.0;  // a single tick may be rounding
  // More threads than cores wait for each other, which is nobody else's doing.
  const double waiting = n_threads > usable_cores() ? 0.0 : std::max(0.0, waiting_seconds() - waiting_);
  return std::min(1.0, stolen / (passed * processors) + waiting / (passed * n_threads));
}

}  // namespace tern::sys
