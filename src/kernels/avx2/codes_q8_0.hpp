// How the formats that go with q8_0 activations give up their codes: one small struct a format, 32 values at a time.
// The arithmetic over them is matmul_q8_0.cpp, here and in the sets above; everything is local to the file that
// includes this.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

/// 0xff where the bit of the same index of the 32 bits at p is set.
inline __m256i expand_bits(const std::uint8_t* p) {
  const __m256i spread = _mm256_shuffle_epi8(
      broadcast4(p),
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3));
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ULL));
  return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
}

/// 16 bytes of nibbles as 32 bytes: low nibbles, then high ones.
inline __m256i expand_nibbles(const std::uint8_t* p) {
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_and_si256(_mm256_inserti128_si256(_mm256_castsi128_si256(b), _mm_srli_epi16(b, 4), 1),
                          _mm256_set1_epi8(15));
}

// A weight format: codes(row, b) are the 32 codes of the b-th 32 values; value = (code - kOffset) * scale [+ minimum].
// kValues is the length of a stored block; kRun is how many vpmaddubsw results fit into a 16-bit lane: kRun * 2 *
// (largest code) * 128 <= 32768.
struct Q8_0 {
  using Block = BlockQ8_0;
  static constexpr std::int64_t kValues = 32;
  static constexpr bool kSigned = true, kHasMinimum = false;
  static constexpr int kOffset = 0, kRun = 1;
  static inline __m256i codes(const Block* row, std::int64_t b) { return load(row[b].q); }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b].d; }
};
struct Q4_0 {
  using Block = BlockQ4_0;
  static constexpr std::int64_t kValues = 32;
  static constexpr bool kSigned = false, kHasMinimum = false;
  static constexpr int kOffset = 8, kRun = 8;
  static inline __m256i codes(const Block* row, std::int64_t b) { return expand_nibbles(row[b].q); }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b].d; }
};
struct Q4_1 {
  using Block = BlockQ4_1;
  static constexpr std::int64_t kValues = 32;
  static constexpr bool kSigned = false, kHasMinimum = true;
  static constexpr int kOffset = 0, kRun = 8;
  static inline __m256i codes(const Block* row, std::int64_t b) { return expand_nibbles(row[b].q); }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b].d; }
  static inline std::uint16_t minimum(const Block* row, std::int64_t b) { return row[b].m; }
};
struct Q5_0 {
  using Block = BlockQ5_0;
  static constexpr std::int64_t kValues = 32;
  static constexpr bool kSigned = false, kHasMinimum = false;
  static constexpr int kOffset = 16, kRun = 4;
  static inline __m256i codes(const Block* row, std::int64_t b) {
    return _mm256_or_si256(expand_nibbles(row[b].q), _mm256_and_si256(expand_bits(row[b].high), _mm256_set1_epi8(16)));
  }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b].d; }
};
struct Q5_1 {
  using Block = BlockQ5_1;
  static constexpr std::int64_t kValues = 32;
  static constexpr bool kSigned = false, kHasMinimum = true;
  static constexpr int kOffset = 0, kRun = 4;
  static inline __m256i codes(const Block* row, std::int64_t b) {
    return _mm256_or_si256(expand_nibbles(row[b].q), _mm256_and_si256(expand_bits(row[b].high), _mm256_set1_epi8(16)));
  }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b].d; }
  static inline std::uint16_t minimum(const Block* row, std::int64_t b) { return row[b].m; }
};
struct Q1_0 {  // codes 0 and 2
  using Block = BlockQ1_0;
  static constexpr std::int64_t kValues = 128;
  static constexpr bool kSigned = false, kHasMinimum = false;
  static constexpr int kOffset = 1, kRun = 8;
  static inline __m256i codes(const Block* row, std::int64_t b) {
    return _mm256_and_si256(expand_bits(row[b / 4].q + b % 4 * 4), _mm256_set1_epi8(2));
  }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b / 4].d; }
};
struct Q2_0 {
  using Block = BlockQ2_0;
  static constexpr std::int64_t kValues = 64;
  static constexpr bool kSigned = false, kHasMinimum = false;
  static constexpr int kOffset = 1, kRun = 8;
  static inline __m256i codes(const Block* row, std::int64_t b) {
    // One byte holds four neighbours: bits 1-0 stay, 3-2 go to byte 1, 5-4 to byte 2, 7-6 to byte 3 of its lane.
    __m256i v = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row[b / 2].q + b % 2 * 8)));
    v = _mm256_or_si256(v, _mm256_slli_epi32(v, 12));
    v = _mm256_or_si256(v, _mm256_slli_epi32(v, 6));
    return _mm256_and_si256(v, _mm256_set1_epi8(3));
  }
  static inline std::uint16_t scale(const Block* row, std::int64_t b) { return row[b / 2].d; }
};

}  // namespace
}  // namespace tern::kernels::avx2
