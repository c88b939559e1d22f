// Sums of sixteen unpacked ternary rows (a byte a weight, codes 0..2, four neighbouring columns of a row to a 32-bit
// lane) against a few columns of int8, over as many columns of weights as 16-bit lanes can sum exactly: 64 pairs
// (ternary_tile.hpp), in lanes of two pairs for four columns of weights, that is 256.
//
// Twelve sums, two weights, one input, one product: in assembly for the reason in ternary_tile.hpp.
#pragma once

#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kTileColumns = 256;  // of weights
constexpr std::int64_t kStepBytes = 64;     // of sixteen rows and four columns
constexpr std::int64_t kGroupBytes = kTileColumns / 4 * kStepBytes;
constexpr int kGroups = 8;  // of sixteen rows, in half a panel

inline __m256i widen(__m256i pairs) {
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// One column's four codes against both vectors of rows.
#define TERN_COLUMN(x, first, second)           \
  "vpbroadcastd (%[" x                          \
  "],%[i]), %%ymm14\n\t"                        \
  "vpmaddubsw %%ymm14, %%ymm12, %%ymm15\n\t"    \
  "vpaddw %%ymm15, %%ymm" first ", %%ymm" first \
  "\n\t"                                        \
  "vpmaddubsw %%ymm14, %%ymm13, %%ymm15\n\t"    \
  "vpaddw %%ymm15, %%ymm" second ", %%ymm" second "\n\t"
#define TERN_ZERO(r) "vpxor %%ymm" r ", %%ymm" r ", %%ymm" r "\n\t"
#define TERN_KEEP(r, at) "vmovdqa %%ymm" r ", " at "(%[out])\n\t"
#define TERN_SIXTEEN_ROWS(zeros, columns, keeps, inputs)                                                           \
  asm volatile(zeros                                                                                               \
               ".p2align 5\n"                                                                                      \
               "1:\n\t"                                                                                            \
               "vmovdqa (%[w]), %%ymm12\n\t"                                                                       \
               "vmovdqa 32(%[w]), %%ymm13\n\t" columns                                                             \
               "add $64, %[w]\n\t"                                                                                 \
               "add $4, %[i]\n\t"                                                                                  \
               "jnz 1b\n\t" keeps                                                                                  \
               : [i] "+&r"(i), [w] "+&r"(w)                                                                        \
               : [out] "r"(sums), inputs                                                                           \
               : "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10", "ymm11", \
                 "ymm12", "ymm13", "ymm14", "ymm15", "memory", "cc")
#define TERN_TWO_ZEROS TERN_ZERO("0") TERN_ZERO("1") TERN_ZERO("2") TERN_ZERO("3")
#define TERN_FOUR_ZEROS TERN_TWO_ZEROS TERN_ZERO("4") TERN_ZERO("5") TERN_ZERO("6") TERN_ZERO("7")
#define TERN_SIX_ZEROS TERN_FOUR_ZEROS TERN_ZERO("8") TERN_ZERO("9") TERN_ZERO("10") TERN_ZERO("11")
#define TERN_TWO_COLUMNS TERN_COLUMN("x0", "0", "1") TERN_COLUMN("x1", "2", "3")
#define TERN_FOUR_COLUMNS TERN_TWO_COLUMNS TERN_COLUMN("x2", "4", "5") TERN_COLUMN("x3", "6", "7")
#define TERN_SIX_COLUMNS TERN_FOUR_COLUMNS TERN_COLUMN("x4", "8", "9") TERN_COLUMN("x5", "10", "11")
#define TERN_TWO_KEPT TERN_KEEP("0", "0") TERN_KEEP("1", "32") TERN_KEEP("2", "64") TERN_KEEP("3", "96")
#define TERN_FOUR_KEPT \
  TERN_TWO_KEPT TERN_KEEP("4", "128") TERN_KEEP("5", "160") TERN_KEEP("6", "192") TERN_KEEP("7", "224")
#define TERN_SIX_KEPT \
  TERN_FOUR_KEPT TERN_KEEP("8", "256") TERN_KEEP("9", "288") TERN_KEEP("10", "320") TERN_KEEP("11", "352")
#define TERN_TWO_INPUTS [x0] "r"(x[0] + n), [x1] "r"(x[1] + n)
#define TERN_FOUR_INPUTS TERN_TWO_INPUTS, [x2] "r"(x[2] + n), [x3] "r"(x[3] + n)
#define TERN_SIX_INPUTS TERN_FOUR_INPUTS, [x4] "r"(x[4] + n), [x5] "r"(x[5] + n)

/// sums[2 c + v], 16-bit lanes, of the rows in vector v of every step, two lanes a row, and column x[c]; n > 0 columns
/// of weights, a multiple of 4, at most kTileColumns. C is 2, 4 or 6; w and sums on 32 bytes.
template <int C>
inline void ternary_panel_tile(const std::uint8_t* w, const std::int8_t* const* x, std::int64_t n, __m256i* sums) {
  static_assert(C == 2 || C == 4 || C == 6);
  static_assert(kStepBytes == 64, "this stands in the assembly");
  std::int64_t i = -n;  // all pointers at the ends, counted up to from -n
  if constexpr (C == 2) {
    TERN_SIXTEEN_ROWS(TERN_TWO_ZEROS, TERN_TWO_COLUMNS, TERN_TWO_KEPT, TERN_TWO_INPUTS);
  } else if constexpr (C == 4) {
    TERN_SIXTEEN_ROWS(TERN_FOUR_ZEROS, TERN_FOUR_COLUMNS, TERN_FOUR_KEPT, TERN_FOUR_INPUTS);
  } else {
    TERN_SIXTEEN_ROWS(TERN_SIX_ZEROS, TERN_SIX_COLUMNS, TERN_SIX_KEPT, TERN_SIX_INPUTS);
  }
}

#undef TERN_COLUMN
#undef TERN_ZERO
#undef TERN_KEEP
#undef TERN_SIXTEEN_ROWS
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
}  // namespace tern::kernels::avx2
