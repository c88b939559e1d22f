// What this processor and process may use: instruction sets (checked with the operating system's register state),
// cores after affinity and container quota, its name, its caches.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tern::sys {

struct CpuFeatures {
  bool sse41 = false, avx2 = false, fma = false, f16c = false, avx_vnni = false;
  bool avx512f = false, avx512bw = false, avx512vl = false, avx512_vnni = false, avx512_bf16 = false, amx_int8 = false;
  bool neon = false, dotprod = false, i8mm = false;
};

[[nodiscard]] CpuFeatures cpu_features();
/// Asks the kernel for the tile registers of AMX, for all threads of this process: their 8 KB are given to those only
/// that ask (Linux, Documentation/arch/x86/xstate.rst). False where it refuses or knows none.
[[nodiscard]] bool allow_amx();
[[nodiscard]] std::string cpu_name();
/// Cores this process may really use: affinity mask and cgroup CPU quota (rounded up), at least 1.
[[nodiscard]] int usable_cores();

/// A cache that the first core reads through; several cores may share it.
struct Cache {
  int level = 0;              // 1, 2, 3
  std::string type;           // "Data", "Instruction", "Unified"
  std::uint64_t n_bytes = 0;  // the size of one such cache
};
/// As the system lists them in `folder`; empty where it does not say (some virtual machines).
[[nodiscard]] std::vector<Cache> caches(const std::string& folder = "/sys/devices/system/cpu/cpu0/cache");
/// The size of the last one before memory; 0 when there is none that holds data.
[[nodiscard]] std::uint64_t last_level_cache_bytes(std::span<const Cache> all);

}  // namespace tern::sys
