// Sums of four unpacked ternary rows (a byte a weight, codes 0..2) against up to six columns of int8: 24 sums, four
// weights, one input. In assembly because GCC 12 spills from intrinsics: 122 GMAC/s with them and 300 so, of 375 to 382
// that vpdpbusd can do from registers (one thread of a Xeon, 2026-11; 2560 x 2560 weights, 128 columns, all included).
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace tern::kernels::avx512vnni {
namespace {

constexpr std::int64_t kTileRows = 4;
/// Of weights, unpacked at once; also the distance of unpacked rows in memory. Four rows are 16 KB, which leaves room
/// in L1 for six columns.
constexpr std::int64_t kBlockColumns = 4096;

#define TERN_COLUMN(x, s0, s1, s2, s3)  \
  "vmovdqu64 (%[" x                     \
  "],%[i]), %%zmm28\n\t"                \
  "vpdpbusd %%zmm28, %%zmm24, %%zmm" s0 \
  "\n\t"                                \
  "vpdpbusd %%zmm28, %%zmm25, %%zmm" s1 \
  "\n\t"                                \
  "vpdpbusd %%zmm28, %%zmm26, %%zmm" s2 \
  "\n\t"                                \
  "vpdpbusd %%zmm28, %%zmm27, %%zmm" s3 "\n\t"
#define TERN_ZERO(r) "vpxord %%zmm" r ", %%zmm" r ", %%zmm" r "\n\t"
#define TERN_ZERO4(a, b, c, d) TERN_ZERO(a) TERN_ZERO(b) TERN_ZERO(c) TERN_ZERO(d)
#define TERN_KEEP(r, at) "vmovdqa64 %%zmm" r ", " at "(%[out])\n\t"
#define TERN_FOUR_ROWS(zeros, columns, keeps)                                                                       \
  asm volatile(zeros                                                                                                \
               ".p2align 5\n"                                                                                       \
               "1:\n\t"                                                                                             \
               "vmovdqa64 (%[w],%[i]), %%zmm24\n\t"                                                                 \
               "vmovdqa64 4096(%[w],%[i]), %%zmm25\n\t"                                                             \
               "vmovdqa64 8192(%[w],%[i]), %%zmm26\n\t"                                                             \
               "vmovdqa64 12288(%[w],%[i]), %%zmm27\n\t" columns                                                    \
               "add $64, %[i]\n\t"                                                                                  \
               "jnz 1b\n\t" keeps                                                                                   \
               : [i] "+&r"(i)                                                                                       \
               : [w] "r"(codes + n), [x0] "r"(x0), [x1] "r"(x1), [x2] "r"(x2), [x3] "r"(x3), [x4] "r"(x4),          \
                 [x5] "r"(x5), [out] "r"(acc)                                                                       \
               : "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11",  \
                 "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", \
                 "zmm23", "zmm24", "zmm25", "zmm26", "zmm27", "zmm28", "memory", "cc")

/// acc[c * 4 + r], 32-bit lanes, of rows codes + r * kBlockColumns, 64-byte aligned, and columns x + c * x_stride, over
/// n columns of weights, a multiple of 64, at least 64 and at most kBlockColumns.
template <int C>
inline void ternary_tile(const std::uint8_t* codes, const std::int8_t* x, std::int64_t x_stride, std::int64_t n,
                         __m512i* acc) {
  static_assert(kBlockColumns == 4096 && kTileRows == 4, "these stand in the assembly");
  static_assert(C == 1 || C == 2 || C == 4 || C == 6);
  const std::int8_t* x0 = x + n;  // all pointers at the ends, counted up to from -n
  const std::int8_t* x1 = x0 + (C > 1 ? x_stride : 0);
  const std::int8_t* x2 = x1 + (C > 2 ? x_stride : 0);
  const std::int8_t* x3 = x2 + (C > 3 ? x_stride : 0);
  const std::int8_t* x4 = x3 + (C > 4 ? x_stride : 0);
  const std::int8_t* x5 = x4 + (C > 5 ? x_stride : 0);
  std::int64_t i = -n;
  if constexpr (C == 1) {
    TERN_FOUR_ROWS(TERN_ZERO4("0", "1", "2", "3"), TERN_COLUMN("x0", "0", "1", "2", "3"),
                   TERN_KEEP("0", "0") TERN_KEEP("1", "64") TERN_KEEP("2", "128") TERN_KEEP("3", "192"));
  } else if constexpr (C == 2) {
    TERN_FOUR_ROWS(TERN_ZERO4("0", "1", "2", "3") TERN_ZERO4("4", "5", "6", "7"),
                   TERN_COLUMN("x0", "0", "1", "2", "3") TERN_COLUMN("x1", "4", "5", "6", "7"),
                   TERN_KEEP("0", "0") TERN_KEEP("1", "64") TERN_KEEP("2", "128") TERN_KEEP("3", "192")
                       TERN_KEEP("4", "256") TERN_KEEP("5", "320") TERN_KEEP("6", "384") TERN_KEEP("7", "448"));
  } else if constexpr (C == 4) {
    TERN_FOUR_ROWS(TERN_ZERO4("0", "1", "2", "3") TERN_ZERO4("4", "5", "6", "7") TERN_ZERO4("8", "9", "10", "11")
                       TERN_ZERO4("12", "13", "14", "15"),
                   TERN_COLUMN("x0", "0", "1", "2", "3") TERN_COLUMN("x1", "4", "5", "6", "7")
                       TERN_COLUMN("x2", "8", "9", "10", "11") TERN_COLUMN("x3", "12", "13", "14", "15"),
                   TERN_KEEP("0", "0") TERN_KEEP("1", "64") TERN_KEEP("2", "128") TERN_KEEP("3", "192") TERN_KEEP(
                       "4", "256") TERN_KEEP("5", "320") TERN_KEEP("6", "384") TERN_KEEP("7", "448")
                       TERN_KEEP("8", "512") TERN_KEEP("9", "576") TERN_KEEP("10", "640") TERN_KEEP("11", "704")
                           TERN_KEEP("12", "768") TERN_KEEP("13", "832") TERN_KEEP("14", "896") TERN_KEEP("15", "960"));
  } else {
    TERN_FOUR_ROWS(
        TERN_ZERO4("0", "1", "2", "3") TERN_ZERO4("4", "5", "6", "7") TERN_ZERO4("8", "9", "10", "11")
            TERN_ZERO4("12", "13", "14", "15") TERN_ZERO4("16", "17", "18", "19") TERN_ZERO4("20", "21", "22", "23"),
        TERN_COLUMN("x0", "0", "1", "2", "3") TERN_COLUMN("x1", "4", "5", "6", "7")
            TERN_COLUMN("x2", "8", "9", "10", "11") TERN_COLUMN("x3", "12", "13", "14", "15")
                TERN_COLUMN("x4", "16", "17", "18", "19") TERN_COLUMN("x5", "20", "21", "22", "23"),
        TERN_KEEP("0", "0") TERN_KEEP("1", "64") TERN_KEEP("2", "128") TERN_KEEP("3", "192") TERN_KEEP("4", "256")
            TERN_KEEP("5", "320") TERN_KEEP("6", "384") TERN_KEEP("7", "448") TERN_KEEP("8", "512")
                TERN_KEEP("9", "576") TERN_KEEP("10", "640") TERN_KEEP("11", "704") TERN_KEEP("12", "768")
                    TERN_KEEP("13", "832") TERN_KEEP("14", "896") TERN_KEEP("15", "960") TERN_KEEP("16", "1024")
                        TERN_KEEP("17", "1088") TERN_KEEP("18", "1152") TERN_KEEP("19", "1216") TERN_KEEP("20", "1280")
                            TERN_KEEP("21", "1344") TERN_KEEP("22", "1408") TERN_KEEP("23", "1472"));
  }
}

#undef TERN_COLUMN
#undef TERN_ZERO
#undef TERN_ZERO4
#undef TERN_KEEP
#undef TERN_FOUR_ROWS

}  // namespace
}  // namespace tern::kernels::avx512vnni
