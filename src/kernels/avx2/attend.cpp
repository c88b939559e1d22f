// One query head against one key/value head, AVX2; keys and values in fp16 or float pages.
//
// The order of additions depends on positions alone, never on pages or on how a prompt was cut into batches:
//   score of a position: eight lanes over head_dim by fused multiply-add, then the tree of sum_lanes;
//   sum of the weights: lane l adds the positions p with p % 8 = l from `first` on, then sum_lanes;
//   output: each element adds weight * value by fused multiply-add from `first` to the last position, then one
//   division.
// The largest score has no rounding, so it needs no order.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

struct F32 {
  using Value = float;
  static inline __m256 eight(const float* p) { return _mm256_loadu_ps(p); }
};
struct F16 {
  using Value = std::uint16_t;
  static inline __m256 eight(const std::uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
};

/// The first n (1..7) values at p, then zeros.
template <class T>
inline __m256 some(const typename T::Value* p, std::int64_t n) {
  alignas(32) typename T::Value copy[8] = {};
  for (std::int64_t i = 0; i < n; ++i) copy[i] = p[i];
  return T::eight(copy);
}

/// tanh, absolute error below 2e-7: an odd polynomial (its Taylor series to x^13) below 0.5, else 1 - 2 / (e^2x + 1).
inline __m256 tanh_ps(__m256 x) {
  const __m256 sign = _mm256_and_ps(x, _mm256_set1_ps(-0.0F));
  const __m256 a = _mm256_xor_ps(x, sign);
  const __m256 x2 = _mm256_mul_ps(a, a);
  __m256 p = _mm256_set1_ps(21844.0F / 6081075.0F);
  p = _mm256_fmadd_ps(p, x2, _mm256_set1_ps(-1382.0F / 155925.0F));
  p = _mm256_fmadd_ps(p, x2, _mm256_set1_ps(62.0F / 2835.0F));
  p = _mm256_fmadd_ps(p, x2, _mm256_set1_ps(-17.0F / 315.0F));
  p = _mm256_fmadd_ps(p, x2, _mm256_set1_ps(2.0F / 15.0F));
  p = _mm256_fmadd_ps(p, x2, _mm256_set1_ps(-1.0F / 3.0F));
  const __m256 small = _mm256_fmadd_ps(_mm256_mul_ps(p, x2), a, a);
  const __m256 e = exp_ps(_mm256_add_ps(a, a));
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256 big = _mm256_sub_ps(one, _mm256_div_ps(_mm256_set1_ps(2.0F), _mm256_add_ps(e, one)));
  const __m256 use_big = _mm256_cmp_ps(a, _mm256_set1_ps(0.5F), _CMP_GE_OQ);
  return _mm256_or_ps(_mm256_blendv_ps(small, big, use_big), sign);
}

template <class T>
inline const typename T::Value* row_of(const void* page, std::size_t stride, std::int64_t i) {
  return reinterpret_cast<const typename T::Value*>(static_cast<const char*>(page) +
                                                    static_cast<std::size_t>(i) * stride);
}

/// Scores of N neighbouring positions of one page.
template <class T, int N>
inline void dots(const AttendArgs& a, const void* page, std::int64_t i, float* scores) {
  const typename T::Value* k[N];
  __m256 acc[N];
  for (int j = 0; j < N; ++j) {
    k[j] = row_of<T>(page, a.row_stride, i + j);
    acc[j] = _mm256_setzero_ps();
  }
  std::int64_t d = 0;
  for (; d + 8 <= a.head_dim; d += 8) {
    const __m256 q = _mm256_loadu_ps(a.q + d);
    for (int j = 0; j < N; ++j) acc[j] = _mm256_fmadd_ps(T::eight(k[j] + d), q, acc[j]);
  }
  if (d < a.head_dim) {
    const __m256 q = some<F32>(a.q + d, a.head_dim - d);
    for (int j = 0; j < N; ++j) acc[j] = _mm256_fmadd_ps(some<T>(k[j] + d, a.head_dim - d), q, acc[j]);
  }
  for (int j = 0; j < N; ++j) scores[j] = sum_lanes(acc[j]) * a.scale;
}

/// Calls f(page index, first place in the page, first position, number of positions) for each page that is seen.
template <class F>
inline void for_each_page(const AttendArgs& a, F f) {
  for (std::int64_t p = a.first; p < a.n_positions;) {
    const std::int64_t page = p / a.page_positions;
    const std::int64_t place = p - page * a.page_positions;
    std::int64_t n = a.page_positions - place;
    if (n > a.n_positions - p) n = a.n_positions - p;
    f(page, place, p, n);
    p += n;
  }
}

/// Adds the weighted values of all positions to N vectors of the output from element d on; `n_last` of the last vector.
template <class T, int N>
inline void weigh(const AttendArgs& a, std::int64_t d, std::int64_t n_last, float sum) {
  __m256 acc[N];
  for (int j = 0; j < N; ++j) acc[j] = _mm256_setzero_ps();
  for_each_page(a, [&](std::int64_t page, std::int64_t place, std::int64_t p, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const typename T::Value* v = row_of<T>(a.v_pages[page], a.row_stride, place + i) + d;
      const __m256 w = _mm256_broadcast_ss(a.scores + p + i);
      for (int j = 0; j < N - 1; ++j) acc[j] = _mm256_fmadd_ps(w, T::eight(v + 8 * j), acc[j]);
      const __m256 last = n_last == 8 ? T::eight(v + 8 * (N - 1)) : some<T>(v + 8 * (N - 1), n_last);
      acc[N - 1] = _mm256_fmadd_ps(w, last, acc[N - 1]);
    }
  });
  const __m256 total = _mm256_set1_ps(sum);
  for (int j = 0; j < N - 1; ++j) _mm256_storeu_ps(a.out + d + 8 * j, _mm256_div_ps(acc[j], total));
  _mm256_maskstore_ps(a.out + d + 8 * (N - 1), first_lanes(n_last), _mm256_div_ps(acc[N - 1], total));
}

template <class T>
inline void attend(const AttendArgs& a) {
  for_each_page(a, [&](std::int64_t page, std::int64_t place, std::int64_t p, std::int64_t n) {
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) dots<T, 8>(a, a.k_pages[page], place + i, a.scores + p + i);
    for (; i < n; ++i) dots<T, 1>(a, a.k_pages[page], place + i, a.scores + p + i);
  });

  // Eight scores at a time at absolute positions that divide by 8; lanes outside [first, n_positions) hold -infinity.
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  const std::int64_t start = a.first & ~static_cast<std::int64_t>(7);
  const auto load_scores = [&](std::int64_t p) {
    __m256i live = first_lanes(a.n_positions - p < 8 ? a.n_positions - p : 8);
    if (p < a.first) live = _mm256_andnot_si256(first_lanes(a.first - p), live);
    return _mm256_blendv_ps(lowest, _mm256_maskload_ps(a.scores + p, live), _mm256_castsi256_ps(live));
  };
  const auto store_scores = [&](std::int64_t p, __m256 v) {
    __m256i live = first_lanes(a.n_positions - p < 8 ? a.n_positions - p : 8);
    if (p < a.first) live = _mm256_andnot_si256(first_lanes(a.first - p), live);
    _mm256_maskstore_ps(a.scores + p, live, v);
  };
  __m256 largest = lowest;
  for (std::int64_t p = start; p < a.n_positions; p += 8) {
    __m256 s = load_scores(p);
    if (a.soft_cap != 0.0F) {
      s = _mm256_mul_ps(tanh_ps(_mm256_div_ps(s, _mm256_set1_ps(a.soft_cap))), _mm256_set1_ps(a.soft_cap));
      store_scores(p, s);
      s = load_scores(p);
    }
    largest = _mm256_max_ps(s, largest);
  }
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(largest), _mm256_extractf128_ps(largest, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  m = _mm_max_ss(m, _mm_movehdup_ps(m));
  const __m256 top = _mm256_broadcastss_ps(m);
  __m256 sums = _mm256_setzero_ps();
  for (std::int64_t p = start; p < a.n_positions; p += 8) {
    const __m256 w = exp_ps(_mm256_sub_ps(load_scores(p), top));
    store_scores(p, w);
    sums = _mm256_add_ps(sums, w);
  }
  const float sum = sum_lanes(sums);

  std::int64_t d = 0;
  for (; d + 64 <= a.head_dim; d += 64) weigh<T, 8>(a, d, 8, sum);
  for (; d < a.head_dim; d += 8) weigh<T, 1>(a, d, a.head_dim - d < 8 ? a.head_dim - d : 8, sum);
}

}  // namespace

void attend_f16(const AttendArgs& args) {
  attend<F16>(args);
}
void attend_f32(const AttendArgs& args) {
  attend<F32>(args);
}

}  // namespace tern::kernels::avx2

#endif
