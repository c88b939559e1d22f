// CPUID leaves 1, 7 and 0x1D, XCR0, and Linux's arch_prctl. Sources: Intel SDM volume 1 chapters 13 to 18; the kernel's
// Documentation/arch/x86/xstate.rst.
#include "cpu.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace limits {

bool Cpu::has(Isa isa) const {
  switch (isa) {
    case Isa::kAny:
      return true;
    case Isa::kAvx2:
      return avx2;
    case Isa::kAvxVnni:
      return avx_vnni;
    case Isa::kAvx512:
      return avx512;
    case Isa::kAvx512Vnni:
      return avx512_vnni;
    case Isa::kAmxInt8:
      return amx_int8;
  }
  return false;
}

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::kAny:
      return "";
    case Isa::kAvx2:
      return "AVX2 and FMA";
    case Isa::kAvxVnni:
      return "AVX-VNNI";
    case Isa::kAvx512:
      return "AVX-512";
    case Isa::kAvx512Vnni:
      return "AVX-512 VNNI";
    case Isa::kAmxInt8:
      return "AMX int8";
  }
  return "";
}

#if defined(__x86_64__)

namespace {

constexpr long kGetSupportedFeatures = 0x1021;  // ARCH_GET_XCOMP_SUPP
constexpr long kRequestFeature = 0x1023;        // ARCH_REQ_XCOMP_PERM
constexpr long kTileData = 18;                  // the tile registers' bit of XCR0

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf leaf(unsigned number, unsigned part) {
  Leaf l;
  if (__get_cpuid_count(number, part, &l.eax, &l.ebx, &l.ecx, &l.edx) == 0) return {};
  return l;
}

bool bit(std::uint64_t word, int i) {
  return ((word >> i) & 1) != 0;
}

/// Which registers the operating system saves. Only where CPUID says that the question may be asked.
std::uint64_t saved_registers() {
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

bool kernel_knows_tiles() {
  std::uint64_t features = 0;
  return syscall(SYS_arch_prctl, kGetSupportedFeatures, &features) == 0 && bit(features, kTileData);
}

}  // namespace

Cpu detect_cpu() {
  const Leaf one = leaf(1, 0), seven = leaf(7, 0), more = leaf(7, 1), tiles = leaf(0x1D, 0);
  if (!bit(one.ecx, 27)) return {};  // OSXSAVE
  const std::uint64_t saved = saved_registers();
  const bool ymm = (saved & 0x6) == 0x6, zmm = (saved & 0xE6) == 0xE6, tmm = (saved & 0x60000) == 0x60000;
  Cpu cpu;
  cpu.avx2 = ymm && bit(one.ecx, 28) && bit(one.ecx, 12) && bit(seven.ebx, 5);
  cpu.avx_vnni = cpu.avx2 && bit(more.eax, 4);
  cpu.avx512 = cpu.avx2 && zmm && bit(seven.ebx, 16);
  cpu.avx512_vnni = cpu.avx512 && bit(seven.ecx, 11);
  cpu.amx_int8 = tmm && bit(seven.edx, 24) && bit(seven.edx, 25) && tiles.eax >= 1 && kernel_knows_tiles();
  return cpu;
}

bool request_amx() {
  return syscall(SYS_arch_prctl, kRequestFeature, kTileData) == 0;
}

#else

Cpu detect_cpu() {
  return {};
}
bool request_amx() {
  return false;
}

#endif

}  // namespace limits
