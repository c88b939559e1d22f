// See places.hpp. Source of the cores: /sys/devices/system/cpu/cpuN/topology (the kernel's
// Documentation/admin-guide/cputopology.rst).
#include "places.hpp"

#include <sched.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <utility>

namespace limits {

namespace {

constexpr std::uint32_t kBurstsPerPlace = 8;

}  // namespace

Places::Places(std::vector<std::vector<int>> groups, int n_threads) {
  const auto n = static_cast<std::size_t>(n_threads);
  for (const std::vector<int>& group : groups) {
    processors_.insert(processors_.end(), group.begin(), group.end());
    if (processors_.size() >= n) break;
  }
  width_ = static_cast<std::uint32_t>(processors_.size() / n);  // 0: too few
}

Places Places::of_this_process(int n_threads) {
  std::vector<std::vector<int>> groups;
  std::map<std::string, std::size_t> seen;  // of each core, by its list of siblings
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return Places({}, n_threads);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) continue;
    std::string core = std::to_string(cpu);  // one of its own, if the system does not say
    std::getline(std::ifstream("/sys/devices/system/cpu/cpu" + core + "/topology/thread_siblings_list"), core);
    if (core.empty()) core = "cpu" + std::to_string(cpu);
    const std::size_t rank = seen[core]++;
    if (rank == groups.size()) groups.emplace_back();
    groups[rank].push_back(cpu);
  }
  return Places(std::move(groups), n_threads);
}

int Places::processor(int thread, std::uint32_t burst) const {
  if (width_ == 0) return -1;
  return processors_[static_cast<std::size_t>(thread) * width_ + burst / kBurstsPerPlace % width_];
}

void stay_on(int processor) {
  if (processor < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(processor), &one);
  ::sched_setaffinity(0, sizeof(one), &one);
}

}  // namespace limits
