// The products of attention, AVX2; what they are part of: attend_pages.hpp.
#if defined(__x86_64__)

#include "kernels/avx2/attend_pages.hpp"
#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

/// Scores of R queries at N neighbouring places, N divides by 4.
template <int R, int N>
inline void score_some(const float* q, std::int64_t width, const float* k, float scale, float* scores,
                       std::int64_t scores_stride) {
  __m256 acc[R][N];
  for (auto& row : acc) {
    for (__m256& v : row) v = _mm256_setzero_ps();
  }
  for (std::int64_t d = 0; d < width; d += 8) {
    __m256 kv[N];
    for (int j = 0; j < N; ++j) kv[j] = _mm256_loadu_ps(k + j * width + d);
    for (int r = 0; r < R; ++r) {
      const __m256 qv = _mm256_loadu_ps(q + r * width + d);
      for (int j = 0; j < N; ++j) acc[r][j] = _mm256_fmadd_ps(kv[j], qv, acc[r][j]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < N; j += 4) {
      const __m256 pairs =
          _mm256_hadd_ps(_mm256_hadd_ps(acc[r][j], acc[r][j + 1]), _mm256_hadd_ps(acc[r][j + 2], acc[r][j + 3]));
      const __m128 four = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
      _mm_storeu_ps(scores + r * scores_stride + j, _mm_mul_ps(four, _mm_set1_ps(scale)));
    }
  }
}

/// Adds the weighted values of the places [low, high) to V vectors of R queries' sums from element d on.
template <int R, int V>
inline void mix_vectors(const AttendArgs& a, const Scratch& s, std::int64_t r, Places places, std::int64_t d) {
  float* sums = s.sums + r * s.width + d;
  const float* weights = s.scores + r * a.page_positions;
  __m256 acc[R][V];
  for (int i = 0; i < R; ++i) {
    for (int v = 0; v < V; ++v) acc[i][v] = _mm256_loadu_ps(sums + i * s.width + 8 * v);
  }
  for (std::int64_t p = places.low; p < places.high; ++p) {
    const float* value = s.page + p * s.width + d;
    __m256 values[V];
    for (int v = 0; v < V; ++v) values[v] = _mm256_loadu_ps(value + 8 * v);
    for (int i = 0; i < R; ++i) {
      const __m256 w = _mm256_broadcast_ss(weights + i * a.page_positions + p);
      for (int v = 0; v < V; ++v) acc[i][v] = _mm256_fmadd_ps(w, values[v], acc[i][v]);
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int v = 0; v < V; ++v) _mm256_storeu_ps(sums + i * s.width + 8 * v, acc[i][v]);
  }
}

struct Products {
  static constexpr int kTogether = 2;

  /// Scores of R queries at the places [low, high), rounded outwards to fours: what a query does not see is not used.
  /// Eight sums at a time, or one would wait for itself.
  template <int R>
  static inline void score(const AttendArgs& a, const Scratch& s, std::int64_t r, Places places) {
    if (places.empty()) return;
    constexpr int kPlaces = 8 / R;
    const auto some = [&]<int N>(std::int64_t i) {
      score_some<R, N>(s.q + r * s.width, s.width, s.page + i * s.width, a.scale, s.scores + r * a.page_positions + i,
                       a.page_positions);
    };
    std::int64_t i = places.low & ~std::int64_t{3};
    for (; i + kPlaces <= ((places.high + 3) & ~std::int64_t{3}); i += kPlaces) some.template operator()<kPlaces>(i);
    if (i < places.high) some.template operator()<4>(i);
  }

  template <int R>
  static inline void mix(const AttendArgs& a, const Scratch& s, std::int64_t r, Places places) {
    if (places.empty()) return;
    constexpr int kVectors = 8 / R;  // eight sums at a time, as above
    std::int64_t d = 0;
    for (; d + 8 * kVectors <= s.width; d += 8 * kVectors) mix_vectors<R, kVectors>(a, s, r, places, d);
    for (; d < s.width; d += 16) mix_vectors<R, 2>(a, s, r, places, d);
  }
};

}  // namespace

void attend(const AttendArgs& a) {
  attend_pages<Products>(a);
}

}  // namespace tern::kernels::avx2

#endif
