// RMS norm and gated activations, AVX2. Each output depends on its own inputs and, for the norm, on one sum of squares
// taken in double precision in an order that the length alone decides.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

inline __m256 load_up_to(const float* p, std::int64_t n) {
  return n >= 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes(n));
}
inline void store_up_to(float* p, std::int64_t n, __m256 v) {
  if (n >= 8) {
    _mm256_storeu_ps(p, v);
  } else {
    _mm256_maskstore_ps(p, first_lanes(n), v);
  }
}

/// x / (1 + e^-t)
inline __m256 times_sigmoid(__m256 x, __m256 t) {
  const __m256 e = exp_ps(_mm256_xor_ps(t, _mm256_set1_ps(-0.0F)));
  return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0F), e));
}

struct Silu {
  static inline __m256 of(__m256 x) { return times_sigmoid(x, x); }
};
struct Relu2 {
  static inline __m256 of(__m256 x) {
    const __m256 r = _mm256_max_ps(_mm256_setzero_ps(), x);  // this operand order keeps NaN
    return _mm256_mul_ps(r, r);
  }
};
/// The tanh form: x/2 (1 + tanh u) with u = sqrt(2/pi) (x + 0.044715 x^3), which is x / (1 + e^-2u).
struct Gelu {
  static inline __m256 of(__m256 x) {
    const __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(0.044715F), _mm256_set1_ps(1.0F));
    const __m256 u2 = _mm256_mul_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.5957691216F)), cubic);
    return times_sigmoid(x, u2);
  }
};

template <class Act>
inline void glu(const float* gate, const float* up, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; i += 8) {
    __m256 v = Act::of(load_up_to(gate + i, n - i));
    if (up != nullptr) v = _mm256_mul_ps(v, load_up_to(up + i, n - i));
    store_up_to(y + i, n - i, v);
  }
}

inline __m256d add_squares(__m256d sum, __m128 v) {
  const __m256d d = _mm256_cvtps_pd(v);
  return _mm256_fmadd_pd(d, d, sum);
}

}  // namespace

void rms_norm(const float* x, const float* weight, std::int64_t n, float eps, float* y) {
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  for (std::int64_t i = 0; i < n; i += 8) {
    const __m256 v = load_up_to(x + i, n - i);
    low = add_squares(low, _mm256_castps256_ps128(v));
    high = add_squares(high, _mm256_extractf128_ps(v, 1));
  }
  const __m256d s4 = _mm256_add_pd(low, high);
  const __m128d s2 = _mm_add_pd(_mm256_castpd256_pd128(s4), _mm256_extractf128_pd(s4, 1));
  const double sum = _mm_cvtsd_f64(_mm_add_sd(s2, _mm_unpackhi_pd(s2, s2)));
  const double mean = sum / static_cast<double>(n) + static_cast<double>(eps);
  const float scale = static_cast<float>(1.0 / _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set_sd(mean))));
  const __m256 s = _mm256_set1_ps(scale);
  for (std::int64_t i = 0; i < n; i += 8) {
    __m256 v = _mm256_mul_ps(load_up_to(x + i, n - i), s);
    if (weight != nullptr) v = _mm256_mul_ps(v, load_up_to(weight + i, n - i));
    store_up_to(y + i, n - i, v);
  }
}

void silu_glu(const float* gate, const float* up, std::int64_t n, float* y) {
  glu<Silu>(gate, up, n, y);
}
void relu2_glu(const float* gate, const float* up, std::int64_t n, float* y) {
  glu<Relu2>(gate, up, n, y);
}
void gelu_glu(const float* gate, const float* up, std::int64_t n, float* y) {
  glu<Gelu>(gate, up, n, y);
}

}  // namespace tern::kernels::avx2

#endif
