// Small vector helpers of this folder, in an anonymous namespace as those of avx2/simd.hpp, and for the same reason.
#pragma once

// GCC 12 takes the vectors that its own header leaves undefined on purpose for a mistake of ours. This header comes
// before any other that includes intrinsics.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include <cstdint>

namespace tern::kernels::avx512vnni {
namespace {

/// 64 bytes from two places.
inline __m512i load_halves(const void* low, const void* high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(static_cast<const __m256i*>(low))),
                            _mm256_loadu_si256(static_cast<const __m256i*>(high)), 1);
}
/// The same 32 bytes in both halves.
inline __m512i load_twice(const void* p) {
  return _mm512_broadcast_i64x4(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}

/// Four bytes at p in every 32-bit lane.
inline __m512i broadcast4(const void* p) {
  std::int32_t word;
  __builtin_memcpy(&word, p, 4);
  return _mm512_set1_epi32(word);
}

/// fp16 numbers in the low 16 bits of lanes, as floats.
inline __m512 low_halves(__m512i v) {
  return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
}
inline __m256 low_halves(__m256i v) {
  return _mm256_cvtph_ps(_mm256_cvtepi32_epi16(v));
}

/// A mask of the first n of sixteen lanes; none where n is negative.
inline __mmask16 first_lanes(std::int64_t n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffffU : n <= 0 ? 0U : (1U << n) - 1U);
}

/// Calls tile.operator()<C>(c) for columns [c, c + C) until all n_cols are done: C is kMost, or where fewer are left
/// the largest power of two below it that fits.
template <int kMost, class F>
inline std::int64_t each_tile(std::int64_t n_cols, F tile, std::int64_t c = 0) {
  static_assert((kMost & (kMost - 1)) == 0);
  for (; c + kMost <= n_cols; c += kMost) tile.template operator()<kMost>(c);
  if constexpr (kMost > 1) c = each_tile<kMost / 2>(n_cols, tile, c);
  return c;
}

/// Lane i of each 128 bits: the sum of that 128 bits of p[i].
inline __m512i sums_of_quarters(const __m512i* p) {
  const __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(p[0], p[1]), _mm512_unpackhi_epi32(p[0], p[1]));
  const __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(p[2], p[3]), _mm512_unpackhi_epi32(p[2], p[3]));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}
/// Lane r of the result is the sum of the sixteen 32-bit lanes of p[r], r < 8.
inline __m256i sums_of_sixteen(const __m512i* p) {
  const __m512i a = sums_of_quarters(p), b = sums_of_quarters(p + 4);
  const __m512i v = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
  return _mm512_castsi512_si256(_mm512_add_epi32(_mm512_shuffle_i32x4(v, v, 0x88), _mm512_shuffle_i32x4(v, v, 0xdd)));
}
/// Lane 8 h + r of the result is the sum of half h of p[r], r < 8.
inline __m512i sums_of_halves(const __m512i* p) {
  const __m512i a = sums_of_quarters(p), b = sums_of_quarters(p + 4);
  const __m512i v = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
  return _mm512_shuffle_i32x4(v, v, 0xd8);
}

/// Lane r of the result is the sum of half r / 4 of p[r % 4].
inline __m256i sums_of_four_pairs(const __m512i* p) {
  const __m512i v = sums_of_quarters(p);
  return _mm512_castsi512_si256(_mm512_add_epi32(_mm512_shuffle_i32x4(v, v, 0x88), _mm512_shuffle_i32x4(v, v, 0xdd)));
}

/// Sixteen rows of sixteen 32-bit words become sixteen columns, in place: then word r of v[i] is what word i of v[r]
/// was.
inline void transpose16(__m512i* v) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 4) {  // 4 x 4 words within each 128 bits
    const __m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]), b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    const __m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]), d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);
    t[i] = _mm512_unpacklo_epi64(a, c);
    t[i + 1] = _mm512_unpackhi_epi64(a, c);
    t[i + 2] = _mm512_unpacklo_epi64(b, d);
    t[i + 3] = _mm512_unpackhi_epi64(b, d);
  }
  for (int i = 0; i < 4; ++i) {  // 4 x 4 of those: t[4 g + i], quarter q, is word 4 q + i of rows 4 g .. 4 g + 3
    const __m512i a = _mm512_shuffle_i32x4(t[i], t[4 + i], 0x44), b = _mm512_shuffle_i32x4(t[i], t[4 + i], 0xee);
    const __m512i c = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0x44);
    const __m512i d = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0xee);
    v[i] = _mm512_shuffle_i32x4(a, c, 0x88);
    v[4 + i] = _mm512_shuffle_i32x4(a, c, 0xdd);
    v[8 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
    v[12 + i] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
}

}  // namespace
}  // namespace tern::kernels::avx512vnni
