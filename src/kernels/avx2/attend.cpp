// The products of attention, AVX2; what they are part of: attend_pages.hpp.
#if defined(__x86_64__)

#include "kernels/avx2/attend_pages.hpp"
#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

struct Products {
  using Vector = __m256;
  static inline Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static inline Vector load(const std::uint16_t* halves) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
  }
  static inline void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static inline Vector every_lane(float x) { return _mm256_set1_ps(x); }
  static inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }

  // Eight sums.
  static constexpr int places_of(int queries) { return 8 / queries; }
  static constexpr int elements_of(int queries) { return 8 * 8 / queries; }

  template <int R, int N, class T>
  static inline void score_some(const float* q, std::int64_t width, Rows<T> keys, float scale, float* scores,
                                std::int64_t scores_stride) {
    __m256 acc[R][N];
    for (auto& row : acc) {
      for (__m256& v : row) v = _mm256_setzero_ps();
    }
    for (std::int64_t d = 0; d < width; d += 8) {
      __m256 kv[N];
      for (int j = 0; j < N; ++j) kv[j] = load(keys.at(j) + d);
      for (int r = 0; r < R; ++r) {
        const __m256 qv = _mm256_loadu_ps(q + r * width + d);
        for (int j = 0; j < N; ++j) acc[r][j] = _mm256_fmadd_ps(kv[j], qv, acc[r][j]);
      }
    }
    if constexpr (R == 4) {  // a vector of the four queries for each place
      for (int j = 0; j < N; ++j) {
        const __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(acc[0][j], acc[1][j]), _mm256_hadd_ps(acc[2][j], acc[3][j]));
        const __m128 sums = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
        float four[4];
        _mm_storeu_ps(four, _mm_mul_ps(sums, _mm_set1_ps(scale)));
        for (int r = 0; r < R; ++r) scores[r * scores_stride + j] = four[r];
      }
    } else {
      for (int r = 0; r < R; ++r) {
        for (int j = 0; j < N; j += 4) {
          const __m256 pairs =
              _mm256_hadd_ps(_mm256_hadd_ps(acc[r][j], acc[r][j + 1]), _mm256_hadd_ps(acc[r][j + 2], acc[r][j + 3]));
          const __m128 four = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
          _mm_storeu_ps(scores + r * scores_stride + j, _mm_mul_ps(four, _mm_set1_ps(scale)));
        }
      }
    }
  }
};

}  // namespace

void attend(const AttendArgs& a) {
  attend_pages<Products>(a);
}

}  // namespace tern::kernels::avx2

#endif
