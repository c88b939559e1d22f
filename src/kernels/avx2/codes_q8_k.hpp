// How the formats that go with q8_k activations give up their codes and factors: one small struct a format, a block of
// 256 values at a time. The arithmetic over them is matmul_q8_k.cpp, here and in the sets above; everything is local to
// the file that includes this.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

inline __m256i mask2() {
  return _mm256_set1_epi8(3);
}
inline __m256i mask4() {
  return _mm256_set1_epi8(15);
}

/// 16 bytes whose even ones go to the low half and odd ones to the high half.
inline __m128i even_then_odd(__m128i v) {
  return _mm_shuffle_epi8(v, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}

// A weight format. codes: 256 unsigned bytes in the order of k. factors: `s` 16 x int16, the factors of runs of 16
// values, even runs in the low half and odd runs in the high half; `m` 16 x int16 in the order of the runs. kRun is how
// many vpmaddubsw results fit into a 16-bit lane before it is multiplied by s (kRun * 2 * code * 128 <= 32768) and all
// lie in one run of values: at most 4 for runs of 16, 8 for runs of 32.

struct Q4_K {
  using Block = BlockQ4_K;
  static constexpr bool kHasMinimum = true, kUnitFactors = false;
  static constexpr int kLargest = 15;
  static constexpr int kRun = 8;
  static inline void codes(const Block& b, __m256i* q) {
    for (int i = 0; i < 4; ++i) {
      const __m256i v = load(b.q + 32 * i);
      q[2 * i] = _mm256_and_si256(v, mask4());
      q[2 * i + 1] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask4());
    }
  }
  /// Eight factors and eight minima of 6 bits: 0-3 are the low bits of bytes 0-3 and 4-7; 4-7 have their low four bits
  /// in bytes 8-11 (factors low, minima high) and their upper two bits at the top of bytes 0-3 and 4-7.
  static inline void factors_of(const std::uint8_t* scales, __m256i& s, __m256i& m) {
    // Words a, b, c (the fourth is not theirs) become the four of factors 0-3, 4-7 and minima 0-3, 4-7.
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(scales));
    const __m128i low = _mm_and_si128(_mm_srlv_epi32(_mm_shuffle_epi32(v, 0x98), _mm_setr_epi32(0, 0, 0, 4)),
                                      _mm_setr_epi32(0x3f3f3f3f, 0x0f0f0f0f, 0x3f3f3f3f, 0x0f0f0f0f));
    const __m128i high =
        _mm_and_si128(_mm_srli_epi32(_mm_shuffle_epi32(v, 0x40), 2), _mm_setr_epi32(0, 0x30303030, 0, 0x30303030));
    const __m128i bytes = _mm_or_si128(low, high);
    s = _mm256_cvtepu8_epi16(_mm_unpacklo_epi64(bytes, bytes));  // every factor counts for two runs of 16
    m = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(bytes, bytes));
  }
  static inline void factors(const Block& b, __m256i& s, __m256i& m) { factors_of(b.scales, s, m); }
  static inline std::uint16_t minimum(const Block& b) { return b.dmin; }
};
struct Q5_K {
  using Block = BlockQ5_K;
  static constexpr bool kHasMinimum = true, kUnitFactors = false;
  static constexpr int kLargest = 31;
  static constexpr int kRun = 4;
  static inline void codes(const Block& b, __m256i* q) {
    __m256i high = load(b.high);  // bit i of a byte belongs to the i-th 32 values
    const __m256i bit = _mm256_set1_epi8(16);
    high = _mm256_or_si256(_mm256_slli_epi16(_mm256_and_si256(high, mask4()), 4),
                           _mm256_and_si256(_mm256_srli_epi16(high, 4), mask4()));  // bits 4-7: runs 0-3; 0-3: runs 4-7
    for (int i = 0; i < 4; ++i) {
      const __m256i v = load(b.q + 32 * i);
      q[2 * i] = _mm256_and_si256(v, mask4());
      q[2 * i + 1] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask4());
    }
    q[0] = _mm256_or_si256(q[0], _mm256_and_si256(high, bit));
    q[1] = _mm256_or_si256(q[1], _mm256_and_si256(_mm256_srli_epi16(high, 1), bit));
    q[2] = _mm256_or_si256(q[2], _mm256_and_si256(_mm256_srli_epi16(high, 2), bit));
    q[3] = _mm256_or_si256(q[3], _mm256_and_si256(_mm256_srli_epi16(high, 3), bit));
    q[4] = _mm256_or_si256(q[4], _mm256_and_si256(_mm256_slli_epi16(high, 4), bit));
    q[5] = _mm256_or_si256(q[5], _mm256_and_si256(_mm256_slli_epi16(high, 3), bit));
    q[6] = _mm256_or_si256(q[6], _mm256_and_si256(_mm256_slli_epi16(high, 2), bit));
    q[7] = _mm256_or_si256(q[7], _mm256_and_si256(_mm256_slli_epi16(high, 1), bit));
  }
  static inline void factors(const Block& b, __m256i& s, __m256i& m) { Q4_K::factors_of(b.scales, s, m); }
  static inline std::uint16_t minimum(const Block& b) { return b.dmin; }
};
struct Q6_K {
  using Block = BlockQ6_K;
  static constexpr bool kHasMinimum = false, kUnitFactors = false;
  static constexpr int kLargest = 63;
  static constexpr int kRun = 2;
  static inline void codes(const Block& b, __m256i* q) {
    const __m256i mask = _mm256_set1_epi8(0x30);
    for (int i = 0; i < 2; ++i) {
      const __m256i a = load(b.low + 64 * i), c = load(b.low + 64 * i + 32), h = load(b.high + 32 * i);
      __m256i* o = q + 4 * i;
      o[0] = _mm256_or_si256(_mm256_and_si256(a, mask4()), _mm256_and_si256(_mm256_slli_epi16(h, 4), mask));
      o[1] = _mm256_or_si256(_mm256_and_si256(c, mask4()), _mm256_and_si256(_mm256_slli_epi16(h, 2), mask));
      o[2] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(a, 4), mask4()), _mm256_and_si256(h, mask));
      o[3] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(c, 4), mask4()),
                             _mm256_and_si256(_mm256_srli_epi16(h, 2), mask));
    }
  }
  static inline void factors(const Block& b, __m256i& s, __m256i& m) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.scales));
    s = _mm256_cvtepi8_epi16(even_then_odd(v));
    m = _mm256_slli_epi16(_mm256_cvtepi8_epi16(v), 5);  // the code's offset, 32
  }
};
struct Q3_K {
  using Block = BlockQ3_K;
  static constexpr bool kHasMinimum = false, kUnitFactors = false;
  static constexpr int kLargest = 7;
  static constexpr int kRun = 4;
  static inline void codes(const Block& b, __m256i* q) {
    const __m256i h = load(b.high);  // bit i of a byte belongs to the i-th 32 values
    const __m256i a = load(b.q), c = load(b.q + 32), bit = _mm256_set1_epi8(4);
    q[0] = _mm256_or_si256(_mm256_and_si256(a, mask2()), _mm256_and_si256(_mm256_slli_epi16(h, 2), bit));
    q[1] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(a, 2), mask2()),
                           _mm256_and_si256(_mm256_slli_epi16(h, 1), bit));
    q[2] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(a, 4), mask2()), _mm256_and_si256(h, bit));
    q[3] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(a, 6), mask2()),
                           _mm256_and_si256(_mm256_srli_epi16(h, 1), bit));
    q[4] = _mm256_or_si256(_mm256_and_si256(c, mask2()), _mm256_and_si256(_mm256_srli_epi16(h, 2), bit));
    q[5] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(c, 2), mask2()),
                           _mm256_and_si256(_mm256_srli_epi16(h, 3), bit));
    q[6] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(c, 4), mask2()),
                           _mm256_and_si256(_mm256_srli_epi16(h, 4), bit));
    q[7] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(c, 6), mask2()),
                           _mm256_and_si256(_mm256_srli_epi16(h, 5), bit));
  }
  /// Sixteen factors of 6 bits, minus 32: low four bits in the nibbles of bytes 0-7 (low ones first), upper two bits in
  /// bytes 8-11, factor j at bits 2 * (j / 4) of byte 8 + j % 4.
  static inline void factors(const Block& b, __m256i& s, __m256i& m) {
    // The twelve bytes and two before and behind them, all in the block.
    const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const std::uint8_t*>(&b) +
                                                                         __builtin_offsetof(BlockQ3_K, scales) - 2));
    const __m128i twice = _mm_shuffle_epi8(all, _mm_setr_epi8(2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9));
    const __m128i nibbles = _mm_and_si128(_mm_srlv_epi64(twice, _mm_set_epi64x(4, 0)), _mm_set1_epi8(15));
    const __m128i four =
        _mm_shuffle_epi8(all, _mm_setr_epi8(10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13));
    const __m128i placed = _mm_srlv_epi32(_mm_sllv_epi32(four, _mm_setr_epi32(4, 2, 0, 0)), _mm_setr_epi32(0, 0, 0, 2));
    const __m128i tops = _mm_and_si128(placed, _mm_set1_epi8(0x30));
    const __m128i v = _mm_sub_epi8(_mm_or_si128(nibbles, tops), _mm_set1_epi8(32));
    s = _mm256_cvtepi8_epi16(even_then_odd(v));
    m = _mm256_slli_epi16(_mm256_cvtepi8_epi16(v), 2);  // the code's offset, 4
  }
};
/// 64 bytes of 2-bit codes: 32 bytes for each 128 values, the i-th 32 of them at bits 2i.
inline void two_bit_codes(const std::uint8_t* p, __m256i* q) {
  for (int i = 0; i < 2; ++i) {
    const __m256i v = load(p + 32 * i);
    q[4 * i] = _mm256_and_si256(v, mask2());
    q[4 * i + 1] = _mm256_and_si256(_mm256_srli_epi16(v, 2), mask2());
    q[4 * i + 2] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask2());
    q[4 * i + 3] = _mm256_and_si256(_mm256_srli_epi16(v, 6), mask2());
  }
}
struct Q2_K {
  using Block = BlockQ2_K;
  static constexpr bool kHasMinimum = true, kUnitFactors = false;
  static constexpr int kLargest = 3;
  static constexpr int kRun = 4;
  static inline void codes(const Block& b, __m256i* q) { two_bit_codes(b.q, q); }
  static inline void factors(const Block& b, __m256i& s, __m256i& m) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.scales));
    s = _mm256_cvtepu8_epi16(even_then_odd(_mm_and_si128(v, _mm_set1_epi8(15))));
    m = _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(15)));
  }
  static inline std::uint16_t minimum(const Block& b) { return b.dmin; }
};
struct TQ2_0 {
  using Block = BlockTQ2_0;
  static constexpr bool kHasMinimum = false, kUnitFactors = true;
  static constexpr int kRun = 32;
  static inline void codes(const Block& b, __m256i* q) { two_bit_codes(b.q, q); }
  static inline void factors(const Block&, __m256i& s, __m256i& m) { s = m = _mm256_set1_epi16(1); }
};
struct TQ1_0 {
  using Block = BlockTQ1_0;
  static constexpr bool kHasMinimum = false, kUnitFactors = true;
  static constexpr int kRun = 32;
  /// floor(3 * b / 256) of every byte: 0 below 86, 1 below 171, else 2.
  static inline __m256i top_trit(__m256i b) {
    const __m256i ge1 = _mm256_cmpeq_epi8(_mm256_max_epu8(b, _mm256_set1_epi8(86)), b);
    const __m256i ge2 = _mm256_cmpeq_epi8(_mm256_max_epu8(b, _mm256_set1_epi8(static_cast<char>(171))), b);
    return _mm256_sub_epi8(_mm256_setzero_si256(), _mm256_add_epi8(ge1, ge2));
  }
  static inline __m256i times3(__m256i b) { return _mm256_add_epi8(b, _mm256_add_epi8(b, b)); }
  static inline __m128i times3(__m128i b) { return _mm_add_epi8(b, _mm_add_epi8(b, b)); }
  static inline void codes(const Block& b, __m256i* q) {
    __m256i v = load(b.q);  // values 0..159: byte m, trit n = value 32n + m
    for (int n = 0; n < 5; ++n, v = times3(v)) q[n] = top_trit(v);
    __m128i u = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.q + 32));  // 160 + 16n + m
    const __m128i u1 = times3(u), u2 = times3(u1), u3 = times3(u2), u4 = times3(u3);
    std::int32_t h;
    __builtin_memcpy(&h, b.high, 4);  // 240 + 4n + m
    const __m128i h0 = _mm_set1_epi32(h), h1 = times3(h0), h2 = times3(h1), h3 = times3(h2);
    const __m128i rest = _mm_blend_epi32(_mm_blend_epi32(h0, h1, 2), _mm_blend_epi32(h2, h3, 8), 12);
    q[5] = top_trit(_mm256_set_m128i(u1, u));
    q[6] = top_trit(_mm256_set_m128i(u3, u2));
    q[7] = top_trit(_mm256_set_m128i(rest, u4));
  }
  static inline void factors(const Block&, __m256i& s, __m256i& m) { s = m = _mm256_set1_epi16(1); }
};

}  // namespace
}  // namespace tern::kernels::avx2
