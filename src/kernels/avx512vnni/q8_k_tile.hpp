// The inner loop of matmul_q8_k.cpp: 256 values of two panels of sixteen rows against four columns, the run's factors
// included. In assembly because GCC 12 copies the running sums from register to register in every step.
#pragma once

#include "kernels/avx512vnni/simd.hpp"

namespace tern::kernels::avx512vnni {
namespace {

// Columns c = 0 .. 3, panels r = 0, 1: sums of products in zmm(8 + 2c + r), their totals in zmm(2c + r). `j`: one of
// the four vectors of a run of 16 values.
#define TERN_COLUMN(j, x, v, s0, s1)             \
  "vpbroadcastd 4*" j "(%[" x "],%[i]), %%zmm" v \
  "\n\t"                                         \
  "vpdpbusd %%zmm" v ", %%zmm24, %%zmm" s0       \
  "\n\t"                                         \
  "vpdpbusd %%zmm" v ", %%zmm25, %%zmm" s1 "\n\t"
#define TERN_STEP(j)                                                                   \
  "vmovdqa64 64*" j                                                                    \
  "(%[w]), %%zmm24\n\t"                                                                \
  "vmovdqa64 %c[gap]+64*" j "(%[w]), %%zmm25\n\t" TERN_COLUMN(j, "x0", "26", "8", "9") \
      TERN_COLUMN(j, "x1", "27", "10", "11") TERN_COLUMN(j, "x2", "28", "12", "13")    \
          TERN_COLUMN(j, "x3", "29", "14", "15")
#define TERN_ZERO(r) "vpxord %%zmm" r ", %%zmm" r ", %%zmm" r "\n\t"
#define TERN_BEGIN \
  TERN_ZERO("8")   \
  TERN_ZERO("9") TERN_ZERO("10") TERN_ZERO("11") TERN_ZERO("12") TERN_ZERO("13") TERN_ZERO("14") TERN_ZERO("15")
#define TERN_SCALE_ONE(f, s, t) "vpdpwssd %%zmm" f ", %%zmm" s ", %%zmm" t "\n\t"
#define TERN_SCALE                \
  TERN_SCALE_ONE("30", "8", "0")  \
  TERN_SCALE_ONE("31", "9", "1")  \
  TERN_SCALE_ONE("30", "10", "2") \
  TERN_SCALE_ONE("31", "11", "3") \
  TERN_SCALE_ONE("30", "12", "4") \
  TERN_SCALE_ONE("31", "13", "5") TERN_SCALE_ONE("30", "14", "6") TERN_SCALE_ONE("31", "15", "7")
#define TERN_KEEP(r) "vmovdqa64 %%zmm" r ", 64*" r "(%[out])\n\t"
#define TERN_RUNS(steps) \
  asm volatile(TERN_ZERO("0") TERN_ZERO("1") TERN_ZERO("2") TERN_ZERO("3") TERN_ZERO("4")           \
               TERN_ZERO("5") TERN_ZERO("6") TERN_ZERO("7")                                         \
               ".p2align 5\n"                                                                       \
               "1:\n\t"                                                                             \
               "vmovdqa64 (%[f],%[i],4), %%zmm30\n\t"                                               \
               "vmovdqa64 %c[gap](%[f],%[i],4), %%zmm31\n\t"                                        \
               steps                                                                                \
               "add $256, %[w]\n\t"                                                                 \
               "add $16, %[i]\n\t"                                                                  \
               "jnz 1b\n\t"                                                                         \
               TERN_KEEP("0") TERN_KEEP("1") TERN_KEEP("2") TERN_KEEP("3") TERN_KEEP("4")           \
               TERN_KEEP("5") TERN_KEEP("6") TERN_KEEP("7")                                         \
               : [i] "+r"(i), [w] "+r"(codes)                                                       \
               : [f] "r"(factors + 1024), [x0] "r"(x0 + 256), [x1] "r"(x1 + 256),                   \
                 [x2] "r"(x2 + 256), [x3] "r"(x3 + 256), [out] "r"(total), [gap] "i"(kGap)          \
               : "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9",    \
                 "zmm10", "zmm11", "zmm12", "zmm13", "zmm14", "zmm15", "zmm24", "zmm25", "zmm26",   \
                 "zmm27", "zmm28", "zmm29", "zmm30", "zmm31", "memory", "cc")

/// total[2c + r]: lane l = sum over the runs of factor * (sum of codes * activations) of row l of panel r and column
/// xc. codes: 64 vectors, lane l = codes 4i .. 4i+3 of row l; factors: 16 vectors, in the low 16 bits of a lane, above
/// them zeros; those of the second panel lie kGap bytes further. kSteps, which divides 4, is how many vpdpbusd results
/// may be added in the low 16 bits of a lane.
template <int kSteps, int kGap>
inline void q8_k_tile(const char* codes, const char* factors, const std::int8_t* x0, const std::int8_t* x1,
                      const std::int8_t* x2, const std::int8_t* x3, __m512i* total) {
  static_assert(kSteps == 1 || kSteps == 2 || kSteps == 4);
  std::int64_t i = -256;
  if constexpr (kSteps == 4) {
    TERN_RUNS(TERN_BEGIN TERN_STEP("0") TERN_STEP("1") TERN_STEP("2") TERN_STEP("3") TERN_SCALE);
  } else if constexpr (kSteps == 2) {
    TERN_RUNS(TERN_BEGIN TERN_STEP("0") TERN_STEP("1") TERN_SCALE TERN_BEGIN TERN_STEP("2") TERN_STEP("3") TERN_SCALE);
  } else {
    TERN_RUNS(TERN_BEGIN TERN_STEP("0") TERN_SCALE TERN_BEGIN TERN_STEP("1") TERN_SCALE TERN_BEGIN TERN_STEP("2")
                  TERN_SCALE TERN_BEGIN TERN_STEP("3") TERN_SCALE);
  }
}

#undef TERN_COLUMN
#undef TERN_STEP
#undef TERN_ZERO
#undef TERN_BEGIN
#undef TERN_SCALE_ONE
#undef TERN_SCALE
#undef TERN_KEEP
#undef TERN_RUNS

}  // namespace
}  // namespace tern::kernels::avx512vnni
