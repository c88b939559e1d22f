// The set of AMX on every processor with AVX-512: its own where it is, otherwise with its instructions emulated.
#pragma once

#include <optional>

#include "kernels/kernels.hpp"
#include "tests/support/amx_emulator.hpp"

#if defined(__x86_64__)
#include "kernels/amxint8/set.hpp"
#endif

namespace tern::test {

/// nullopt where AVX-512 is missing too. Installs the emulator for the rest of the program, unless it is not needed.
inline std::optional<kernels::Kernels> amx_or_emulated() {
#if defined(__x86_64__)
  if (sys::cpu_features().amx_int8) return kernels::choose("amxint8").value();
  auto below = kernels::choose("avx512vnni");
  if (!below || !AmxEmulator::install()) return std::nullopt;
  const kernels::KernelSet& amx = *kernels::amxint8::amxint8_set();
  below->isa = "amxint8, emulated";
  below->table.name = amx.name;
  below->table.ternary = amx.ternary;
  below->table.ternary_panel = amx.ternary_panel;
  return *below;
#else
  return std::nullopt;
#endif
}

}  // namespace tern::test
