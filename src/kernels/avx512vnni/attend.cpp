// The products of attention, AVX-512: see avx2/attend_pages.hpp. The bits are those of AVX2: a register holds the eight
// lanes of two places, one in each half, and values have no order among the elements of a vector.
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it, which must come first.
#include "kernels/avx2/attend_pages.hpp"
#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::avx512vnni {
namespace {

/// Eight floats in both halves.
inline __m512 load_twice_ps(const float* p) {
  return _mm512_castsi512_ps(load_twice(p));
}

inline __m256 low_half(__m512 v) {
  return _mm512_castps512_ps256(v);
}
inline __m256 high_half(__m512 v) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
}

/// Eight numbers from each of two places.
inline __m512 load_eights(const float* low, const float* high) {
  return _mm512_castsi512_ps(load_halves(low, high));
}
inline __m512 load_eights(const std::uint16_t* low, const std::uint16_t* high) {
  return _mm512_cvtph_ps(
      _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low))),
                              _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1));
}

struct Products {
  using Vector = __m512;
  static inline Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static inline Vector load(const std::uint16_t* halves) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  }
  static inline void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static inline Vector every_lane(float x) { return _mm512_set1_ps(x); }
  static inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }

  // Sixteen sums, or eight for one query.
  static constexpr int places_of(int queries) { return queries == 1 ? 16 : 8; }
  static constexpr int elements_of(int) { return 64; }

  template <int R, int N, class T>
  static inline void score_some(const float* q, std::int64_t width, avx2::Rows<T> keys, float scale, float* scores,
                                std::int64_t scores_stride) {
    __m512 acc[R][N / 2];
    for (auto& row : acc) {
      for (__m512& v : row) v = _mm512_setzero_ps();
    }
    for (std::int64_t d = 0; d < width; d += 8) {
      __m512 two[N / 2];
      for (int j = 0; j < N / 2; ++j) two[j] = load_eights(keys.at(2 * j) + d, keys.at(2 * j + 1) + d);
      for (int r = 0; r < R; ++r) {
        const __m512 qv = load_twice_ps(q + r * width + d);
        for (int j = 0; j < N / 2; ++j) acc[r][j] = _mm512_fmadd_ps(two[j], qv, acc[r][j]);
      }
    }
    // Unrolled, or the sums would go through memory.
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int j = 0; j < N / 2; j += 2) {
        const __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(low_half(acc[r][j]), high_half(acc[r][j])),
                                            _mm256_hadd_ps(low_half(acc[r][j + 1]), high_half(acc[r][j + 1])));
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
        _mm_storeu_ps(scores + r * scores_stride + 2 * j, _mm_mul_ps(four, _mm_set1_ps(scale)));
      }
    }
  }
};

}  // namespace

void attend(const AttendArgs& a) {
  avx2::attend_pages<Products>(a);
}

}  // namespace tern::kernels::avx512vnni

#endif
