// Four float lanes, one sub-block each: how the k-quant searches use the processor without changing a bit.
//
// A search adds up its sums in the order of the values, so one sub-block alone cannot be vectorised: float addition is
// not associative. Four neighbouring sub-blocks are independent, though. Lane j holds sub-block j, and every lane does
// exactly the operations, in exactly the order, of the plain scalar loop. Compilers' vector extension (GCC, Clang): 16
// bytes are one register of every x86-64 and AArch64 machine. Not a kernel: nothing here looks at the CPU.
#pragma once

#include <cstdint>

namespace tern::formats::lanes {

inline constexpr int kLanes = 4;
using Floats [[gnu::vector_size(16)]] = float;
using Ints [[gnu::vector_size(16)]] = std::int32_t;  // also what a comparison gives: -1 where true, 0 where false

inline Floats all(float value) {
  return Floats{value, value, value, value};
}
inline Ints all(std::int32_t value) {
  return Ints{value, value, value, value};
}

inline bool any(Ints mask) {
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
}

inline Floats magnitude(Floats v) {
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(v) & 0x7fffffff);
}

/// codec::round_half_even() in each lane.
inline Ints nearest(Floats v) {
  return (reinterpret_cast<Ints>(v + 12582912.0F) & 0x007fffff) - 0x00400000;
}

/// nearest(), limited to [low, high], as floats.
inline Floats code_of(Floats v, int low, int high) {
  Ints code = nearest(v);
  code = code > high ? all(high) : code;
  code = code < low ? all(low) : code;
  return __builtin_convertvector(code, Floats);
}

/// Value i of four neighbouring sub-blocks stands in column[i].
template <int kValues>
struct Columns {
  Floats column[kValues];

  static Columns of(const float* x) {
    Columns out;
    for (int i = 0; i < kValues; ++i) {
      out.column[i] = Floats{x[i], x[kValues + i], x[2 * kValues + i], x[3 * kValues + i]};
    }
    return out;
  }
};

}  // namespace tern::formats::lanes
