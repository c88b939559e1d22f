#include "sys/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace tern::sys {
namespace {

// "Key:   123 kB" lines of /proc files.
std::uint64_t kilobytes_of(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.size() > key.size() && line.compare(0, key.size(), key) == 0 && line[key.size()] == ':') {
      return std::stoull(line.substr(key.size() + 1)) * 1024;
    }
  }
  return 0;
}

std::uint64_t number_in(const char* path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : std::numeric_limits<std::uint64_t>::max();
}

// "key 123" lines of cgroup's memory.stat, in bytes.
std::uint64_t stat_of(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == key) return value;
  }
  return 0;
}

}  // namespace

MemoryUse memory_use() {
  return {kilobytes_of("/proc/self/status", "VmHWM"), kilobytes_of("/proc/self/status", "VmRSS"),
          kilobytes_of("/proc/self/status", "RssAnon")};
}

std::uint64_t available_memory() {
  std::uint64_t available = kilobytes_of("/proc/meminfo", "MemAvailable");
  const std::uint64_t limit = number_in("/sys/fs/cgroup/memory.max");
  std::uint64_t used = number_in("/sys/fs/cgroup/memory.current");
  // The cgroup's count holds cached files, which the kernel gives up when memory is wanted.
  constexpr const char* kStat = "/sys/fs/cgroup/memory.stat";
  used -= std::min(used, stat_of(kStat, "inactive_file") + stat_of(kStat, "active_file"));
  if (limit != std::numeric_limits<std::uint64_t>::max() && used <= limit)
    available = std::min(available, limit - used);
  return available;
}

}  // namespace tern::sys
