#include "sys/cpu.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tern::sys {

#if defined(__x86_64__)
namespace {

std::uint64_t enabled_state() {  // XCR0: which register files the operating system saves
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

constexpr long kTileData = 18;  // the tile registers' bit of XCR0

bool kernel_knows_tiles() {
  constexpr long kGetSupportedFeatures = 0x1021;  // ARCH_GET_XCOMP_SUPP
  std::uint64_t features = 0;
  return syscall(SYS_arch_prctl, kGetSupportedFeatures, &features) == 0 && (features >> kTileData & 1U) != 0;
}

}  // namespace

CpuFeatures cpu_features() {
  CpuFeatures f;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return f;
  f.sse41 = (c >> 19 & 1U) != 0;
  const bool osxsave = (c >> 27 & 1U) != 0;
  const std::uint64_t state = osxsave ? enabled_state() : 0;
  const bool ymm = (state & 0x6U) == 0x6U;
  const bool zmm = (state & 0xe6U) == 0xe6U;
  const bool tiles = (state >> 17 & 3U) == 3U;
  f.fma = ymm && (c >> 12 & 1U) != 0;
  f.f16c = ymm && (c >> 29 & 1U) != 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return f;
  f.avx2 = ymm && (b >> 5 & 1U) != 0;
  f.avx512f = zmm && (b >> 16 & 1U) != 0;
  f.avx512bw = zmm && (b >> 30 & 1U) != 0;
  f.avx512vl = zmm && (b >> 31 & 1U) != 0;
  f.avx512_vnni = zmm && (c >> 11 & 1U) != 0;
  f.amx_int8 = tiles && (d >> 24 & 1U) != 0 && (d >> 25 & 1U) != 0 && kernel_knows_tiles();
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
    f.avx_vnni = ymm && (a >> 4 & 1U) != 0;
    f.avx512_bf16 = zmm && (a >> 5 & 1U) != 0;
  }
  return f;
}

bool allow_amx() {
  constexpr long kRequestFeature = 0x1023;  // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, kRequestFeature, kTileData) == 0;
}
#else
CpuFeatures cpu_features() {
  return {};
}

bool allow_amx() {
  return false;
}
#endif

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) {
      const auto colon = line.find(':');
      if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
    }
  }
  return "unknown processor";
}

int usable_cores() {
  int cores = 1;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = std::max(1, CPU_COUNT(&set));
  // cgroup v2: "max 100000" or "150000 100000" (microseconds per period).
  std::ifstream quota("/sys/fs/cgroup/cpu.max");
  std::string limit;
  double period = 0;
  if (quota >> limit >> period && limit != "max" && period > 0) {
    const double allowed = std::ceil(std::strtod(limit.c_str(), nullptr) / period);
    if (allowed >= 1.0) cores = std::min(cores, static_cast<int>(allowed));
  }
  return cores;
}

}  // namespace tern::sys
