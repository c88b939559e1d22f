// f32 multiply-adds in 64-byte registers. Compiled with -mavx512f; called only where the processor has it.
#include "arithmetic_loops.hpp"

namespace limits {

namespace {

#include "loop_zmm.inc"

#define FMA(i, b) "vfmadd231ps %%zmm" #b ", %%zmm28, %%zmm" #i "\n\t"

LIMITS_ZMM_LOOP(fma, FMA)

}  // namespace

constinit const ArithmeticLoop kFmaAvx512 = {14, 64, 16, true, fma};

}  // namespace limits
