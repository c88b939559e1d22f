// The loops that multiply, add and look up in registers. One step treats every accumulator once, with independent
// chains enough to hide the instruction's latency; nothing is loaded or stored between the first step and the last.
// Written as assembly, loop and all: no compiler can take the work out of the loop, spill, or count otherwise. The
// operands come from the caller and the accumulators go back to it, so that the tests can check against plain
// arithmetic what was done. This header is included by files with flags of their own: nothing here may become code
// there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limits {

struct ArithmeticLoop {
  int n_accumulators;
  std::size_t vector_bytes;  // of an operand and of an accumulator
  double operations;         // of one accumulator in one step, in the quantity's unit less its G
  bool of_floats;            // operands and accumulators are f32, not integers
  /// n_steps >= 1. operands: three vectors a, b0, b1; accumulator i works with a and b[i % 2].
  void (*run)(std::uint64_t n_steps, const std::byte* operands, std::byte* accumulators);
};

#if defined(__x86_64__)
extern const ArithmeticLoop kMaddubs16;  // 16-bit lanes: sum += saturated(a0 * b0 + a1 * b1), a unsigned, b signed
extern const ArithmeticLoop kMaddubs32;  // 32-bit lanes: two of those, widened, at every step
extern const ArithmeticLoop kLookup8;   // byte lanes: sum += a[b & 15] of each 16-byte half (0 where b has its top bit)
extern const ArithmeticLoop kLookup16;  // the same bytes, added as 16-bit lanes
extern const ArithmeticLoop kAdd16L1;   // 16-bit lanes: sum += b, read from the first-level cache
extern const ArithmeticLoop kFmaAvx2;   // f32 lanes: sum += a * b
extern const ArithmeticLoop kVnniAvx;   // 32-bit lanes: sum += four products, a unsigned, b signed
extern const ArithmeticLoop kVnniAvx512;  // the same in 64-byte vectors
extern const ArithmeticLoop kFmaAvx512;   // f32 lanes of 64-byte vectors
/// sum[16][16] of 32 bits += a[16][64] * b, a unsigned, b signed; b[16][16][4] holds four rows of each column together.
/// Only after request_amx().
extern const ArithmeticLoop kAmx;
#endif

}  // namespace limits
