// Small vector helpers of this folder. Everything is in an anonymous namespace: each file that includes this header
// gets its own local copies, so no function compiled with -mavx2 can be picked by the linker for a machine that lacks
// it.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace tern::kernels::avx2 {
namespace {

inline __m256i load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline void store(void* p, __m256i v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}

/// Makes the compiler finish v here, in a register. Left to itself GCC 12 adds up long sums in an order of its own, for
/// which it keeps all terms in memory: a seventh slower for Q4_K (Xeon, 128 columns, 2026-11).
inline void keep(__m256i& v) {
  asm("" : "+x"(v));
}

/// Four bytes at p in every 32-bit lane.
inline __m256i broadcast4(const void* p) {
  std::int32_t word;
  __builtin_memcpy(&word, p, 4);
  return _mm256_set1_epi32(word);
}

inline float half_to_float(std::uint16_t h) {
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

/// A mask with the first n (0..8) lanes set.
inline __m256i first_lanes(std::int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<std::int32_t>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// (0+4, 1+5, 2+6, 3+7), then (0+2, 1+3), then 0+1: the one tree by which eight float lanes become a number.
inline float sum_lanes(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  s = _mm_add_ss(s, _mm_movehdup_ps(s));
  return _mm_cvtss_f32(s);
}

inline float largest_lane(__m256 v) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  s = _mm_max_ss(s, _mm_movehdup_ps(s));
  return _mm_cvtss_f32(s);
}

inline std::int32_t sum_lanes(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

/// Lane r of the result is the sum of the eight 32-bit lanes of p[r], r < 4.
inline __m128i sums_of_four(const __m256i* p) {
  const __m256i a = _mm256_add_epi32(_mm256_unpacklo_epi32(p[0], p[1]), _mm256_unpackhi_epi32(p[0], p[1]));
  const __m256i b = _mm256_add_epi32(_mm256_unpacklo_epi32(p[2], p[3]), _mm256_unpackhi_epi32(p[2], p[3]));
  const __m256i v = _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
  return _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

/// Lane r of the result is the sum of the eight 32-bit lanes of p[r].
inline __m256i sums_of_eight(const __m256i* p) {
  const __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(p[0], p[1]), _mm256_hadd_epi32(p[2], p[3]));
  const __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(p[4], p[5]), _mm256_hadd_epi32(p[6], p[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

/// Eight rows of eight 32-bit words become eight columns: out word r of vector i = word i of in vector r.
inline void transpose8(const __m256i* in, __m256i* out) {
  const __m256i a0 = _mm256_unpacklo_epi32(in[0], in[1]), a1 = _mm256_unpackhi_epi32(in[0], in[1]);
  const __m256i a2 = _mm256_unpacklo_epi32(in[2], in[3]), a3 = _mm256_unpackhi_epi32(in[2], in[3]);
  const __m256i a4 = _mm256_unpacklo_epi32(in[4], in[5]), a5 = _mm256_unpackhi_epi32(in[4], in[5]);
  const __m256i a6 = _mm256_unpacklo_epi32(in[6], in[7]), a7 = _mm256_unpackhi_epi32(in[6], in[7]);
  const __m256i b0 = _mm256_unpacklo_epi64(a0, a2), b1 = _mm256_unpackhi_epi64(a0, a2);
  const __m256i b2 = _mm256_unpacklo_epi64(a1, a3), b3 = _mm256_unpackhi_epi64(a1, a3);
  const __m256i b4 = _mm256_unpacklo_epi64(a4, a6), b5 = _mm256_unpackhi_epi64(a4, a6);
  const __m256i b6 = _mm256_unpacklo_epi64(a5, a7), b7 = _mm256_unpackhi_epi64(a5, a7);
  out[0] = _mm256_permute2x128_si256(b0, b4, 0x20);
  out[1] = _mm256_permute2x128_si256(b1, b5, 0x20);
  out[2] = _mm256_permute2x128_si256(b2, b6, 0x20);
  out[3] = _mm256_permute2x128_si256(b3, b7, 0x20);
  out[4] = _mm256_permute2x128_si256(b0, b4, 0x31);
  out[5] = _mm256_permute2x128_si256(b1, b5, 0x31);
  out[6] = _mm256_permute2x128_si256(b2, b6, 0x31);
  out[7] = _mm256_permute2x128_si256(b3, b7, 0x31);
}

/// Eight fp16 numbers as floats.
inline __m256 halves_to_floats(std::uint16_t a, std::uint16_t b, std::uint16_t c, std::uint16_t d, std::uint16_t e,
                               std::uint16_t f, std::uint16_t g, std::uint16_t h) {
  return _mm256_cvtph_ps(_mm_setr_epi16(static_cast<short>(a), static_cast<short>(b), static_cast<short>(c),
                                        static_cast<short>(d), static_cast<short>(e), static_cast<short>(f),
                                        static_cast<short>(g), static_cast<short>(h)));
}

/// e^x with at most 2 units in the last place of error (1 for most arguments), subnormal results and overflow to
/// infinity included; NaN gives NaN. x = n ln 2 + r with |r| <= 0.347; the Taylor polynomial of degree 7 leaves 5e-9.
inline __m256 exp_ps(__m256 x) {
  x = _mm256_max_ps(_mm256_set1_ps(-105.0F), x);  // this operand order keeps NaN
  x = _mm256_min_ps(_mm256_set1_ps(89.0F), x);
  const __m256i n = _mm256_cvtps_epi32(_mm256_mul_ps(x, _mm256_set1_ps(0x1.715476p+0F)));
  const __m256 nf = _mm256_cvtepi32_ps(n);
  __m256 r = _mm256_fnmadd_ps(nf, _mm256_set1_ps(0x1.62e4p-1F), x);  // ln 2, upper 15 bits: exact product
  r = _mm256_fnmadd_ps(nf, _mm256_set1_ps(0x1.7f7d1cp-20F), r);      // ln 2, the rest
  __m256 p = _mm256_set1_ps(1.0F / 5040.0F);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0F / 720.0F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0F / 120.0F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0F / 24.0F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0F / 6.0F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5F));
  p = _mm256_fmadd_ps(_mm256_mul_ps(p, r), r, r);
  p = _mm256_add_ps(p, _mm256_set1_ps(1.0F));
  // 2^n in two factors, each a normal number, so that subnormal results round once.
  const __m256i n1 = _mm256_srai_epi32(n, 1);
  const __m256i n2 = _mm256_sub_epi32(n, n1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 s1 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n1, bias), 23));
  const __m256 s2 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n2, bias), 23));
  return _mm256_mul_ps(_mm256_mul_ps(p, s1), s2);
}

}  // namespace
}  // namespace tern::kernels::avx2
