// Which instruction sets can be used here: what CPUID names, less what the operating system does not save (XCR0), and
// for AMX less what the kernel would not grant. Asked of the processor itself; /proc/cpuinfo is what the tests compare
// with.
#pragma once

#include <string_view>

namespace limits {

enum class Isa { kAny, kAvx2, kAvxVnni, kAvx512, kAvx512Vnni, kAmxInt8 };

struct Cpu {
  bool avx2 = false;         // AVX2 and FMA
  bool avx_vnni = false;     // VNNI in VEX encoding, and avx2
  bool avx512 = false;       // AVX-512 F
  bool avx512_vnni = false;  // and VNNI in EVEX encoding
  bool amx_int8 = false;     // tiles, 8-bit products

  bool has(Isa isa) const;
};

/// For people: "AVX-512 VNNI"; empty for kAny.
std::string_view name(Isa isa);

Cpu detect_cpu();

/// Asks the kernel for the tile registers, which it keeps from programs that did not ask; for the whole process, for
/// good.
bool request_amx();

}  // namespace limits
