// Four 8-bit products into a 32-bit sum in 64-byte registers. Compiled with -mavx512vnni; called only where it is.
#include "arithmetic_loops.hpp"

namespace limits {

namespace {

#include "loop_zmm.inc"

#define DOT(i, b) "vpdpbusd %%zmm" #b ", %%zmm28, %%zmm" #i "\n\t"

LIMITS_ZMM_LOOP(dot, DOT)

}  // namespace

constinit const ArithmeticLoop kVnniAvx512 = {14, 64, 64, false, dot};

}  // namespace limits
