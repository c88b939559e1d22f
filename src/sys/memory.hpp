// What memory this process uses and what the machine (or container) has, from /proc and cgroup.
#pragma once

#include <cstdint>

namespace tern::sys {

struct MemoryUse {
  std::uint64_t peak_resident = 0;       // VmHWM, bytes
  std::uint64_t resident = 0;            // VmRSS
  std::uint64_t resident_anonymous = 0;  // RssAnon: without mapped files
};

[[nodiscard]] MemoryUse memory_use();
/// Bytes this process may still take: MemAvailable, and the cgroup's limit where there is one.
[[nodiscard]] std::uint64_t available_memory();

}  // namespace tern::sys
