// Sums of a few unpacked ternary rows (a byte a weight, codes 0..2) against a few columns of int8, over as many columns
// of weights as 16-bit lanes can sum exactly: 64 pairs of at most 508 and at least -512, that is 2048.
//
// The tile of two rows and six columns is what 16 registers hold: twelve sums, two weights, one input, one product. It
// is written in assembly because GCC 12 spills from intrinsics: 2 x 4 so reaches 70 % of what vpmaddubsw and vpaddw can
// do from registers alone, this 87 to 88 % (one thread of a Xeon with AVX-512, AVX2 code, 2026-11: 95 and 118 to 120 of
// 136 GMAC/s, unpacking and sums included, shapes of BitNet 2B, 126 columns).
#pragma once

#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kTernaryBlockColumns = 2048;  // of weights; also the distance of unpacked rows in memory

inline __m256i widen(__m256i pairs) {
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/// sums[c] of one row against columns x + c * x_stride over n columns of weights, n a multiple of 32, at least 32 and
/// at most kTernaryBlockColumns: for the last row of an odd number.
template <int C>
inline void ternary_one_row(const std::uint8_t* codes, const std::int8_t* x, std::int64_t x_stride, std::int64_t n,
                            std::int32_t* sums) {
  __m256i acc[C];
  for (int c = 0; c < C; ++c) acc[c] = _mm256_setzero_si256();
  for (std::int64_t i = 0; i < n; i += 32) {
    const __m256i w = load(codes + i);
    for (int c = 0; c < C; ++c) {
      acc[c] = _mm256_add_epi16(acc[c], _mm256_maddubs_epi16(w, load(x + c * x_stride + i)));
    }
  }
  for (int c = 0; c < C; ++c) sums[c] = sum_lanes(widen(acc[c]));
}

// One column: its input against both rows.
#define TERN_COLUMN(x, first, second)           \
  "vmovdqu (%[" x                               \
  "],%[i]), %%ymm14\n\t"                        \
  "vpmaddubsw %%ymm14, %%ymm12, %%ymm15\n\t"    \
  "vpaddw %%ymm15, %%ymm" first ", %%ymm" first \
  "\n\t"                                        \
  "vpmaddubsw %%ymm14, %%ymm13, %%ymm15\n\t"    \
  "vpaddw %%ymm15, %%ymm" second ", %%ymm" second "\n\t"
#define TERN_ZERO(r) "vpxor %%ymm" r ", %%ymm" r ", %%ymm" r "\n\t"
#define TERN_KEEP(r, at) "vmovdqa %%ymm" r ", " at "(%[out])\n\t"
#define TERN_TWO_ROWS(columns) \
  asm volatile(TERN_ZERO("0") TERN_ZERO("1") TERN_ZERO("2") TERN_ZERO("3") TERN_ZERO("4") TERN_ZERO("5")               \
               TERN_ZERO("6") TERN_ZERO("7") TERN_ZERO("8") TERN_ZERO("9") TERN_ZERO("10") TERN_ZERO("11")             \
               ".p2align 5\n"                                                                                         \
               "1:\n\t"                                                                                               \
               "vmovdqa (%[w],%[i]), %%ymm12\n\t"                                                                     \
               "vmovdqa 2048(%[w],%[i]), %%ymm13\n\t" columns                                                         \
               "add $32, %[i]\n\t"                                                                                    \
               "jnz 1b\n\t"                                                                                           \
               TERN_KEEP("0", "0") TERN_KEEP("1", "32") TERN_KEEP("2", "64") TERN_KEEP("3", "96")                     \
               TERN_KEEP("4", "128") TERN_KEEP("5", "160") TERN_KEEP("6", "192") TERN_KEEP("7", "224")                \
               TERN_KEEP("8", "256") TERN_KEEP("9", "288") TERN_KEEP("10", "320") TERN_KEEP("11", "352")              \
               : [i] "+&r"(i)                                                                                         \
               : [w] "r"(codes + n), [x0] "r"(x0), [x1] "r"(x1), [x2] "r"(x2), [x3] "r"(x3), [x4] "r"(x4),             \
                 [x5] "r"(x5), [out] "r"(acc)                                                                         \
               : "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10", "ymm11",     \
                 "ymm12", "ymm13", "ymm14", "ymm15", "memory", "cc")

/// sums[c * 2 + r] of rows codes + r * kTernaryBlockColumns, 32-byte aligned, and columns x + c * x_stride, up to six;
/// n > 0 as above.
template <int C>
inline void ternary_two_rows(const std::uint8_t* codes, const std::int8_t* x, std::int64_t x_stride, std::int64_t n,
                             std::int32_t* sums) {
  static_assert(kTernaryBlockColumns == 2048, "the distance of the second row stands in the assembly");
  static_assert(C >= 1 && C <= 6);
  alignas(32) __m256i acc[12];
  const std::int8_t* x0 = x + n;  // all pointers at the ends, counted up to from -n
  const std::int8_t* x1 = x0 + (C > 1 ? x_stride : 0);
  const std::int8_t* x2 = x1 + (C > 2 ? x_stride : 0);
  const std::int8_t* x3 = x2 + (C > 3 ? x_stride : 0);
  const std::int8_t* x4 = x3 + (C > 4 ? x_stride : 0);
  const std::int8_t* x5 = x4 + (C > 5 ? x_stride : 0);
  std::int64_t i = -n;
  if constexpr (C == 1) {
    TERN_TWO_ROWS(TERN_COLUMN("x0", "0", "1"));
  } else if constexpr (C == 2) {
    TERN_TWO_ROWS(TERN_COLUMN("x0", "0", "1") TERN_COLUMN("x1", "2", "3"));
  } else if constexpr (C == 3) {
    TERN_TWO_ROWS(TERN_COLUMN("x0", "0", "1") TERN_COLUMN("x1", "2", "3") TERN_COLUMN("x2", "4", "5"));
  } else if constexpr (C == 4) {
    TERN_TWO_ROWS(TERN_COLUMN("x0", "0", "1") TERN_COLUMN("x1", "2", "3") TERN_COLUMN("x2", "4", "5")
                      TERN_COLUMN("x3", "6", "7"));
  } else if constexpr (C == 5) {
    TERN_TWO_ROWS(TERN_COLUMN("x0", "0", "1") TERN_COLUMN("x1", "2", "3") TERN_COLUMN("x2", "4", "5")
                      TERN_COLUMN("x3", "6", "7") TERN_COLUMN("x4", "8", "9"));
  } else {
    TERN_TWO_ROWS(TERN_COLUMN("x0", "0", "1") TERN_COLUMN("x1", "2", "3") TERN_COLUMN("x2", "4", "5")
                      TERN_COLUMN("x3", "6", "7") TERN_COLUMN("x4", "8", "9") TERN_COLUMN("x5", "10", "11"));
  }
  __m256i wide[12];
  for (int a = 0; a < 2 * C; ++a) wide[a] = widen(acc[a]);
  constexpr int kEights = 2 * C >= 8 ? 8 : 0;
  if constexpr (kEights != 0) store(sums, sums_of_eight(wide));
  for (int a = kEights; a < 2 * C; ++a) sums[a] = sum_lanes(wide[a]);
}

#undef TERN_COLUMN
#undef TERN_ZERO
#undef TERN_KEEP
#undef TERN_TWO_ROWS

}  // namespace
}  // namespace tern::kernels::avx2
