// What this processor and process may use: instruction sets (checked with the operating system's register state),
// cores after affinity and container quota, its name.
#pragma once

#include <string>

namespace tern::sys {

struct CpuFeatures {
  bool sse41 = false, avx2 = false, fma = false, f16c = false, avx_vnni = false;
  bool avx512f = false, avx512bw = false, avx512vl = false, avx512_vnni = false, avx512_bf16 = false, amx_int8 = false;
  bool neon = false, dotprod = false, i8mm = false;
};

[[nodiscard]] CpuFeatures cpu_features();
[[nodiscard]] std::string cpu_name();
/// Cores this process may really use: affinity mask and cgroup CPU quota (rounded up), at least 1.
[[nodiscard]] int usable_cores();

}  // namespace tern::sys
