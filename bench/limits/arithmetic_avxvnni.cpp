// Four 8-bit products into a 32-bit sum, the AVX-VNNI form (VEX encoding, 32-byte registers): what processors without
// AVX-512 have. Called only where CPUID names AVX-VNNI.
#include "arithmetic_loops.hpp"

namespace limits {

namespace {

#include "loop_ymm.inc"

// Without {vex} the assembler takes the AVX-512 encoding.
#define DOT(i, b) "%{vex%} vpdpbusd %%ymm" #b ", %%ymm12, %%ymm" #i "\n\t"

LIMITS_YMM_LOOP(dot, LIMITS_TWELVE, DOT, "")

}  // namespace

constinit const ArithmeticLoop kVnniAvx = {12, 32, 32, false, dot};

}  // namespace limits
