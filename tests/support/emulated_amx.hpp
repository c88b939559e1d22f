// The set of AMX on every processor with AVX-512: its own where it is, otherwise with its instructions emulated.
#pragma once

#include <optional>

#include "kernels/kernels.hpp"
#include "tests/support/amx_emulator.hpp"

namespace tern::test {

struct AmxKernels {
  kernels::Kernels kernels;
  sys::CpuFeatures cpu;  // what they were chosen for
  bool emulated;
};

/// nullopt where AVX-512 is missing too. Installs the emulator for the rest of the program, unless it is not needed.
inline std::optional<AmxKernels> amx_or_emulated() {
#if defined(__x86_64__)
  sys::CpuFeatures cpu = sys::cpu_features();
  if (cpu.amx_int8) {
    auto own = kernels::choose("amxint8");
    if (own) return AmxKernels{*std::move(own), cpu, false};
  }
  cpu.amx_int8 = true;
  auto emulated = kernels::choose_for(cpu, "amxint8");
  if (!emulated || !AmxEmulator::install()) return std::nullopt;
  return AmxKernels{*std::move(emulated), cpu, true};
#else
  return std::nullopt;
#endif
}

}  // namespace tern::test
