// Packed ternary rows against one column, a few groups at a time. The planes at bits 7-6 and 3-2 are used in place, as
// four times the code: `fours` are their sums, `ones` those of the others.
//
// In assembly because GCC 12 keeps the sums of four rows in memory and gathers prefetches in one place: 19.9 instead of
// 17.6 GB/s from the second cache, 12.9 instead of 12.4 from memory (tern_bench_kernels ternary, TERN_ISA=avx2, one
// thread of a Xeon, best of three, 2026-11).
#pragma once

#include "kernels/avx2/ternary_blocks.hpp"

namespace tern::kernels::avx2 {
namespace {

#define TERN_GROUP(at, x0, x1, x2, x3)  \
  "vmovdqu " at                         \
  "(%[p]), %[b]\n\t"                    \
  "vpsrlw $4, %[b], %[t]\n\t"           \
  "vpand %[b], %[high], %[u]\n\t"       \
  "vpand %[b], %[low], %[b]\n\t"        \
  "vpand %[t], %[high], %[v]\n\t"       \
  "vpand %[t], %[low], %[t]\n\t"        \
  "vpmaddubsw " x2                      \
  "(%[x]), %[u], %[u]\n\t"              \
  "vpmaddubsw " x3                      \
  "(%[x]), %[b], %[b]\n\t"              \
  "vpmaddubsw " x0                      \
  "(%[x]), %[v], %[v]\n\t"              \
  "vpmaddubsw " x1                      \
  "(%[x]), %[t], %[t]\n\t"              \
  "vpaddw %[u], %[fours], %[fours]\n\t" \
  "vpaddw %[b], %[ones], %[ones]\n\t"   \
  "vpaddw %[v], %[fours], %[fours]\n\t" \
  "vpaddw %[t], %[ones], %[ones]\n\t"
#define TERN_FIRST_GROUP TERN_GROUP("0", "0", "32", "64", "96")
#define TERN_SECOND_GROUP TERN_GROUP("32", "128", "160", "192", "224")
#define TERN_OPERANDS                                                                 \
  [ones] "+&x"(ones), [fours] "+&x"(fours), [b] "=&x"(b), [t] "=&x"(t), [u] "=&x"(u), \
      [v] "=&x"(v)                                                                    \
      : [p] "r"(p),                                                                   \
        [x] "r"(x),                                                                   \
        [low] "x"(_mm256_set1_epi8(0x03)),                                            \
        [high] "x"(_mm256_set1_epi8(0x0c)),                                           \
        [near] "i"(kStreamNear),                                                      \
        [far] "i"(kStreamFar)                                                         \
      : "memory"

/// One group, 32 bytes at p and 128 at x. 16-bit lanes of `fours` hold 8 groups: their pairs reach -2048.
inline void add_group(__m256i& ones, __m256i& fours, const std::uint8_t* p, const std::int8_t* x) {
  __m256i b, t, u, v;
  asm volatile(TERN_FIRST_GROUP : TERN_OPERANDS);
}
/// Two groups, a line of the cache; what is read next from a stream is fetched between them (prefetch_stream).
inline void add_two_groups(__m256i& ones, __m256i& fours, const std::uint8_t* p, const std::int8_t* x) {
  __m256i b, t, u, v;
  asm volatile("prefetcht0 %c[near](%[p])\n\t" TERN_FIRST_GROUP "prefetcht1 %c[far](%[p])\n\t" TERN_SECOND_GROUP
               : TERN_OPERANDS);
}

#undef TERN_GROUP
#undef TERN_FIRST_GROUP
#undef TERN_SECOND_GROUP
#undef TERN_OPERANDS

}  // namespace
}  // namespace tern::kernels::avx2
