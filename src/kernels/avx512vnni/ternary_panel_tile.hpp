// Sums of 64 unpacked ternary rows (a byte a weight, codes 0..2, four neighbouring columns of a row to a 32-bit lane)
// against up to six columns of int8, whose codes are broadcast from memory: 24 sums, four weights. In assembly for the
// reason in ternary_tile.hpp.
#pragma once

#include "kernels/avx512vnni/ternary_panel_unpack.hpp"

namespace tern::kernels::avx512vnni {
namespace {

#define TERN_COLUMN(x, s0, s1, s2, s3)                   \
  "vpdpbusd (%[" x "],%[i])%{1to16%}, %%zmm24, %%zmm" s0 \
  "\n\t"                                                 \
  "vpdpbusd (%[" x "],%[i])%{1to16%}, %%zmm25, %%zmm" s1 \
  "\n\t"                                                 \
  "vpdpbusd (%[" x "],%[i])%{1to16%}, %%zmm26, %%zmm" s2 \
  "\n\t"                                                 \
  "vpdpbusd (%[" x "],%[i])%{1to16%}, %%zmm27, %%zmm" s3 "\n\t"
#define TERN_ZERO(r) "vpxord %%zmm" r ", %%zmm" r ", %%zmm" r "\n\t"
#define TERN_ZERO4(a, b, c, d) TERN_ZERO(a) TERN_ZERO(b) TERN_ZERO(c) TERN_ZERO(d)
#define TERN_KEEP(r, at) "vmovdqa64 %%zmm" r ", " at "(%[out])\n\t"
#define TERN_ROWS(zeros, columns, keeps, inputs)                                                                    \
  asm volatile(zeros                                                                                                \
               ".p2align 5\n"                                                                                       \
               "1:\n\t"                                                                                             \
               "vmovdqa64 (%[w]), %%zmm24\n\t"                                                                      \
               "vmovdqa64 64(%[w]), %%zmm25\n\t"                                                                    \
               "vmovdqa64 128(%[w]), %%zmm26\n\t"                                                                   \
               "vmovdqa64 192(%[w]), %%zmm27\n\t" columns                                                           \
               "add $256, %[w]\n\t"                                                                                 \
               "add $4, %[i]\n\t"                                                                                   \
               "jnz 1b\n\t" keeps                                                                                   \
               : [i] "+&r"(i), [w] "+&r"(w)                                                                         \
               : [out] "r"(sums), inputs                                                                            \
               : "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11",  \
                 "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", \
                 "zmm23", "zmm24", "zmm25", "zmm26", "zmm27", "memory", "cc")
#define TERN_TWO_ZEROS TERN_ZERO4("0", "1", "2", "3") TERN_ZERO4("4", "5", "6", "7")
#define TERN_FOUR_ZEROS TERN_TWO_ZEROS TERN_ZERO4("8", "9", "10", "11") TERN_ZERO4("12", "13", "14", "15")
#define TERN_SIX_ZEROS TERN_FOUR_ZEROS TERN_ZERO4("16", "17", "18", "19") TERN_ZERO4("20", "21", "22", "23")
#define TERN_TWO_COLUMNS TERN_COLUMN("x0", "0", "1", "2", "3") TERN_COLUMN("x1", "4", "5", "6", "7")
#define TERN_FOUR_COLUMNS \
  TERN_TWO_COLUMNS TERN_COLUMN("x2", "8", "9", "10", "11") TERN_COLUMN("x3", "12", "13", "14", "15")
#define TERN_SIX_COLUMNS \
  TERN_FOUR_COLUMNS TERN_COLUMN("x4", "16", "17", "18", "19") TERN_COLUMN("x5", "20", "21", "22", "23")
#define TERN_KEEP4(a, at_a, b, at_b, c, at_c, d, at_d) \
  TERN_KEEP(a, at_a) TERN_KEEP(b, at_b) TERN_KEEP(c, at_c) TERN_KEEP(d, at_d)
#define TERN_TWO_KEPT                                     \
  TERN_KEEP4("0", "0", "1", "64", "2", "128", "3", "192") \
  TERN_KEEP4("4", "256", "5", "320", "6", "384", "7", "448")
#define TERN_FOUR_KEPT                                                       \
  TERN_TWO_KEPT TERN_KEEP4("8", "512", "9", "576", "10", "640", "11", "704") \
      TERN_KEEP4("12", "768", "13", "832", "14", "896", "15", "960")
#define TERN_SIX_KEPT                                                               \
  TERN_FOUR_KEPT TERN_KEEP4("16", "1024", "17", "1088", "18", "1152", "19", "1216") \
      TERN_KEEP4("20", "1280", "21", "1344", "22", "1408", "23", "1472")
#define TERN_TWO_INPUTS [x0] "r"(x[0] + n), [x1] "r"(x[1] + n)
#define TERN_FOUR_INPUTS TERN_TWO_INPUTS, [x2] "r"(x[2] + n), [x3] "r"(x[3] + n)
#define TERN_SIX_INPUTS TERN_FOUR_INPUTS, [x4] "r"(x[4] + n), [x5] "r"(x[5] + n)

/// sums[4 c + v], a 32-bit lane a row, of vector v of every step and column x[c]; n > 0 columns of weights, a multiple
/// of 4, at most kPanelTileColumns. C is 2, 4 or 6; w and sums on 64 bytes.
template <int C>
inline void ternary_panel_tile(const std::uint8_t* w, const std::int8_t* const* x, std::int64_t n, __m512i* sums) {
  static_assert(C == 2 || C == 4 || C == 6);
  static_assert(kStepBytes == 256, "this stands in the assembly");
  std::int64_t i = -n;  // all pointers at the ends, counted up to from -n
  if constexpr (C == 2) {
    TERN_ROWS(TERN_TWO_ZEROS, TERN_TWO_COLUMNS, TERN_TWO_KEPT, TERN_TWO_INPUTS);
  } else if constexpr (C == 4) {
    TERN_ROWS(TERN_FOUR_ZEROS, TERN_FOUR_COLUMNS, TERN_FOUR_KEPT, TERN_FOUR_INPUTS);
  } else {
    TERN_ROWS(TERN_SIX_ZEROS, TERN_SIX_COLUMNS, TERN_SIX_KEPT, TERN_SIX_INPUTS);
  }
}

#undef TERN_COLUMN
#undef TERN_ZERO
#undef TERN_ZERO4
#undef TERN_KEEP
#undef TERN_KEEP4
#undef TERN_ROWS
#undef TERN_TWO_ZEROS
#undef TERN_FOUR_ZEROS
#undef TERN_SIX_ZEROS
#undef TERN_TWO_COLUMNS
#undef TERN_FOUR_COLUMNS
#undef TERN_SIX_COLUMNS
#undef TERN_TWO_KEPT
#undef TERN_FOUR_KEPT
#undef TERN_SIX_KEPT
#undef TERN_TWO_INPUTS
#undef TERN_FOUR_INPUTS
#undef TERN_SIX_INPUTS

}  // namespace
}  // namespace tern::kernels::avx512vnni
