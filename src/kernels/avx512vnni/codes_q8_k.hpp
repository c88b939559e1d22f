// The codes of the formats of avx2/codes_q8_k.hpp, 64 to a vector, in an order that is cheap to unpack. Included by
// matmul_q8_k.cpp alone; everything is local to it.
#pragma once

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/avx2/codes_q8_k.hpp"

namespace tern::kernels::avx512vnni {
namespace {

// codes: 256 unsigned bytes; half h of vector i is piece kPieces[2i + h] of 32 values. What lies where in a block is
// written at the format in avx2/codes_q8_k.hpp.

/// (a where the mask is set) | b
inline __m512i masked_or(__m512i a, __m512i mask, __m512i b) {
  return _mm512_ternarylogic_epi32(a, mask, b, 0xea);
}
/// Sixteen-bit lanes of the low and of the high half.
inline __m512i halves(short low, short high) {
  return _mm512_inserti64x4(_mm512_set1_epi16(low), _mm256_set1_epi16(high), 1);
}
inline __m512i mask4() {
  return _mm512_set1_epi8(15);
}

struct WideQ6_K {
  using F = avx2::Q6_K;
  static constexpr int kPieces[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  static inline void codes(const F::Block& b, __m512i* q) {
    const __m512i mask = _mm512_set1_epi8(0x30);
    for (int i = 0; i < 2; ++i) {
      const __m512i a = _mm512_loadu_si512(b.low + 64 * i), h = load_twice(b.high + 32 * i);
      const __m512i first = _mm512_and_si512(_mm512_sllv_epi16(h, halves(4, 2)), mask);
      const __m512i second = _mm512_and_si512(_mm512_srlv_epi16(h, halves(0, 2)), mask);
      q[2 * i] = masked_or(a, mask4(), first);
      q[2 * i + 1] = masked_or(_mm512_srli_epi16(a, 4), mask4(), second);
    }
  }
};
/// 128 bytes of nibbles: pieces 0 and 2, 1 and 3, 4 and 6, 5 and 7.
inline void nibbles(const std::uint8_t* p, __m512i* low, __m512i* high) {
  for (int i = 0; i < 2; ++i) {
    low[i] = _mm512_loadu_si512(p + 64 * i);
    high[i] = _mm512_srli_epi16(low[i], 4);
  }
}
struct WideQ4_K {
  using F = avx2::Q4_K;
  static constexpr int kPieces[8] = {0, 2, 1, 3, 4, 6, 5, 7};
  static inline void codes(const F::Block& b, __m512i* q) {
    __m512i low[2];
    __m512i high[2];
    nibbles(b.q, low, high);
    for (int i = 0; i < 2; ++i) {
      q[2 * i] = _mm512_and_si512(low[i], mask4());
      q[2 * i + 1] = _mm512_and_si512(high[i], mask4());
    }
  }
};
struct WideQ5_K {
  using F = avx2::Q5_K;
  static constexpr int kPieces[8] = {0, 2, 1, 3, 4, 6, 5, 7};
  static inline void codes(const F::Block& b, __m512i* q) {
    __m512i low[2];
    __m512i high[2];
    nibbles(b.q, low, high);
    const __m512i bit = _mm512_set1_epi8(16), h = load_twice(b.high);  // bit i of a byte belongs to piece i
    q[0] = masked_or(low[0], mask4(), _mm512_and_si512(_mm512_sllv_epi16(h, halves(4, 2)), bit));
    q[1] = masked_or(high[0], mask4(), _mm512_and_si512(_mm512_sllv_epi16(h, halves(3, 1)), bit));
    q[2] = masked_or(low[1], mask4(), _mm512_and_si512(_mm512_srlv_epi16(h, halves(0, 2)), bit));
    q[3] = masked_or(high[1], mask4(), _mm512_and_si512(_mm512_srlv_epi16(h, halves(1, 3)), bit));
  }
};
struct WideQ3_K {
  using F = avx2::Q3_K;
  static constexpr int kPieces[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  static inline void codes(const F::Block& b, __m512i* q) {
    const __m512i mask = _mm512_set1_epi8(3), bit = _mm512_set1_epi8(4), a = _mm512_loadu_si512(b.q);
    const __m512i h = _mm512_srlv_epi16(load_twice(b.high), halves(0, 4));  // bit i of a byte: piece i, or i + 4
    q[0] = masked_or(a, mask, _mm512_and_si512(_mm512_slli_epi16(h, 2), bit));
    q[1] = masked_or(_mm512_srli_epi16(a, 2), mask, _mm512_and_si512(_mm512_slli_epi16(h, 1), bit));
    q[2] = masked_or(_mm512_srli_epi16(a, 4), mask, _mm512_and_si512(h, bit));
    q[3] = masked_or(_mm512_srli_epi16(a, 6), mask, _mm512_and_si512(_mm512_srli_epi16(h, 1), bit));
  }
};
struct WideQ2_K {
  using F = avx2::Q2_K;
  static constexpr int kPieces[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  static inline void codes(const F::Block& b, __m512i* q) {
    const __m512i mask = _mm512_set1_epi8(3), a = _mm512_loadu_si512(b.q);
    q[0] = _mm512_and_si512(a, mask);
    q[1] = _mm512_and_si512(_mm512_srli_epi16(a, 2), mask);
    q[2] = _mm512_and_si512(_mm512_srli_epi16(a, 4), mask);
    q[3] = _mm512_and_si512(_mm512_srli_epi16(a, 6), mask);
  }
};

}  // namespace
}  // namespace tern::kernels::avx512vnni
