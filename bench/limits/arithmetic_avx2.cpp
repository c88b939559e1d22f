// Products, look-ups and f32 multiply-adds of AVX2 and FMA. Compiled with -mavx2 -mfma; called only where they are.
#include "arithmetic_loops.hpp"

namespace limits {

namespace {

#include "loop_ymm.inc"

// clang-format off
#define MADDUBS16(i, b)                             \
  "vpmaddubsw %%ymm" #b ", %%ymm12, %%ymm15\n\t"    \
  "vpaddw %%ymm15, %%ymm" #i ", %%ymm" #i "\n\t"

// ymm11 holds sixteen ones.
#define ONES                                        \
  "vpcmpeqw %%ymm11, %%ymm11, %%ymm11\n\t"          \
  "vpsrlw $15, %%ymm11, %%ymm11\n\t"
#define MADDUBS32(i, b)                             \
  "vpmaddubsw %%ymm" #b ", %%ymm12, %%ymm15\n\t"    \
  "vpmaddwd %%ymm11, %%ymm15, %%ymm15\n\t"          \
  "vpaddd %%ymm15, %%ymm" #i ", %%ymm" #i "\n\t"

#define LOOKUP8(i, b)                               \
  "vpshufb %%ymm" #b ", %%ymm12, %%ymm15\n\t"       \
  "vpaddb %%ymm15, %%ymm" #i ", %%ymm" #i "\n\t"
#define LOOKUP16(i, b)                              \
  "vpshufb %%ymm" #b ", %%ymm12, %%ymm15\n\t"       \
  "vpaddw %%ymm15, %%ymm" #i ", %%ymm" #i "\n\t"
// clang-format on

// The operands are not in registers but in the first-level cache, where they are at hand as b0 and b1.
#define ADD16(i, b) "vpaddw (" #b "-12)*32(%[operands]), %%ymm" #i ", %%ymm" #i "\n\t"

#define FMA(i, b) "vfmadd231ps %%ymm" #b ", %%ymm12, %%ymm" #i "\n\t"

LIMITS_YMM_LOOP(maddubs16, LIMITS_TWELVE, MADDUBS16, "")
LIMITS_YMM_LOOP(maddubs32, LIMITS_TEN, MADDUBS32, ONES)
LIMITS_YMM_LOOP(lookup8, LIMITS_TWELVE, LOOKUP8, "")
LIMITS_YMM_LOOP(lookup16, LIMITS_TWELVE, LOOKUP16, "")
LIMITS_YMM_LOOP(add16_l1, LIMITS_TWELVE, ADD16, "")
LIMITS_YMM_LOOP(fma, LIMITS_TWELVE, FMA, "")

}  // namespace

constinit const ArithmeticLoop kMaddubs16 = {12, 32, 32, false, maddubs16};
constinit const ArithmeticLoop kMaddubs32 = {10, 32, 32, false, maddubs32};
constinit const ArithmeticLoop kLookup8 = {12, 32, 32, false, lookup8};
constinit const ArithmeticLoop kLookup16 = {12, 32, 32, false, lookup16};
constinit const ArithmeticLoop kAdd16L1 = {12, 32, 16, false, add16_l1};
constinit const ArithmeticLoop kFmaAvx2 = {12, 32, 8, true, fma};

}  // namespace limits
