// Attention of several queries against one key/value head, page by page, with a softmax that goes along ("online":
// Milakov and Gimelshein, arXiv 1805.02867; blocks as in FlashAttention, arXiv 2205.14135).
//
// A page's keys become floats once for all queries, then its values; scores and weighted sums are small float products.
// Where hardly any queries share a page of fp16 numbers, they become floats on the way instead, each time anew.
// What each query gets depends on its own positions and on where pages end, in bits too:
//   score of a position: eight lanes over head_dim by fused multiply-add, added as (((0+1)+(2+3)) + ((4+5)+(6+7)));
//   after each page the largest score so far: what was summed before is multiplied by e^(old - new);
//   sum of a page's weights: lane l adds the places p with p % 8 = l, then the tree of sum_lanes;
//   output: each element adds weight * value by fused multiply-add in the order of positions; one division at the end.
// Queries share loads where all of them see a position; what only one sees is added for it alone, in its turn.
//
// The products themselves are the instruction set's, a struct:
//   places_of(R)    places at once, and elements_of(R) elements of the values at once, for R queries, which are 1, 2
//                   or 4; as many sums as keep one from waiting for itself
//   score_some<R, N>(q, width, rows, scale, scores, stride)
//                   scores of R queries at N neighbouring places, whose keys are `rows`; N is places_of(R), or 4
//                   where that is more
//   Vector          a register of floats; load, store, every_lane and multiply_add (a * b + c, rounded once) of it
// Rows are of floats or of fp16 numbers.
// Everything is local to the file that includes this.
#pragma once

#include <cstdint>

#include "kernels/attend_scratch.hpp"
#include "kernels/avx2/simd.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

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

/// Places of a page: [low, high).
struct Places {
  std::int64_t low, high;
  [[nodiscard]] bool empty() const { return low >= high; }
};

inline Places places_of(const AttendArgs& a, std::int64_t r, std::int64_t page) {
  const std::int64_t base = page * a.page_positions;
  return {a.first[r] > base ? a.first[r] - base : 0,
          a.end[r] - base < a.page_positions ? a.end[r] - base : a.page_positions};
}

/// Turns a page's scores of query r into weights, and what was summed before into their measure.
inline void weigh(const AttendArgs& a, const AttendScratch& s, std::int64_t r, Places places) {
  float* scores = s.scores + r * a.page_positions;
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  const auto seen = [&](std::int64_t i, __m256 v) {
    const __m256i low = first_lanes(places.low - i < 0 ? 0 : places.low - i < 8 ? places.low - i : 8);
    const __m256i high = first_lanes(places.high - i < 0 ? 0 : places.high - i < 8 ? places.high - i : 8);
    return _mm256_blendv_ps(lowest, v, _mm256_castsi256_ps(_mm256_andnot_si256(low, high)));
  };
  const std::int64_t begin = places.low & ~std::int64_t{7};
  __m256 largest = _mm256_set1_ps(s.top[r]);
  for (std::int64_t i = begin; i < places.high; i += 8) {
    __m256 v = _mm256_loadu_ps(scores + i);
    if (a.soft_cap != 0.0F) {
      const __m256 cap = _mm256_set1_ps(a.soft_cap);
      v = _mm256_mul_ps(tanh_ps(_mm256_div_ps(v, cap)), cap);
    }
    v = seen(i, v);
    _mm256_storeu_ps(scores + i, v);
    largest = _mm256_max_ps(v, largest);  // a NaN leaves the second operand
  }
  const float top = largest_lane(largest);
  const __m256 tops = _mm256_set1_ps(top);
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t i = begin; i < places.high; i += 8) {
    const __m256 weight = exp_ps(_mm256_sub_ps(_mm256_loadu_ps(scores + i), tops));
    _mm256_storeu_ps(scores + i, weight);
    sum = _mm256_add_ps(sum, weight);
  }
  if (top != s.top[r]) {
    const float factor = _mm_cvtss_f32(_mm256_castps256_ps128(exp_ps(_mm256_set1_ps(s.top[r] - top))));
    s.top[r] = top;
    s.total[r] *= factor;
    float* sums = s.sums + r * s.width;
    for (std::int64_t d = 0; d < s.width; d += 8)
      _mm256_storeu_ps(sums + d, _mm256_mul_ps(_mm256_loadu_ps(sums + d), _mm256_set1_ps(factor)));
  }
  s.total[r] += sum_lanes(sum);
}

/// Keys or values of a page; T is float or std::uint16_t (fp16). `stride`: from one place to the next, in numbers.
template <class T>
struct Rows {
  const T* first;
  std::int64_t stride;
  [[nodiscard]] const T* at(std::int64_t place) const { return first + place * stride; }
  [[nodiscard]] Rows from(std::int64_t place) const { return {at(place), stride}; }
};

/// Scores of the queries r ... r + R - 1 at these places, rounded outwards to fours: what a query does not see is not
/// used.
template <class Products, int R, class T>
inline void score(const AttendArgs& a, const AttendScratch& s, std::int64_t r, Places places, Rows<T> rows) {
  if (places.empty()) return;
  constexpr int kPlaces = Products::places_of(R);
  const auto some = [&]<int N>(std::int64_t i) {
    Products::template score_some<R, N>(s.q + r * s.width, s.width, rows.from(i), a.scale,
                                        s.scores + r * a.page_positions + i, a.page_positions);
  };
  const std::int64_t end = (places.high + 3) & ~std::int64_t{3};
  std::int64_t i = places.low & ~std::int64_t{3};
  for (; i + kPlaces <= end; i += kPlaces) some.template operator()<kPlaces>(i);
  if constexpr (kPlaces > 4) {
    for (; i < end; i += 4) some.template operator()<4>(i);
  }
}

/// Adds the weighted values of these places to N elements, from d on, of the sums of R queries.
template <class Products, int R, int N, class T>
inline void mix_some(const AttendArgs& a, const AttendScratch& s, std::int64_t r, Places places, Rows<T> rows,
                     std::int64_t d) {
  using Vector = typename Products::Vector;
  constexpr int kLanes = sizeof(Vector) / sizeof(float);
  constexpr int kVectors = N / kLanes;
  float* sums = s.sums + r * s.width + d;
  const float* weights = s.scores + r * a.page_positions;
  Vector acc[R][kVectors];
  for (int i = 0; i < R; ++i) {
    for (int v = 0; v < kVectors; ++v) acc[i][v] = Products::load(sums + i * s.width + kLanes * v);
  }
  for (std::int64_t p = places.low; p < places.high; ++p) {
    const T* value = rows.at(p) + d;
    Vector values[kVectors];
    for (int v = 0; v < kVectors; ++v) values[v] = Products::load(value + kLanes * v);
    for (int i = 0; i < R; ++i) {
      const Vector w = Products::every_lane(weights[i * a.page_positions + p]);
      for (int v = 0; v < kVectors; ++v) acc[i][v] = Products::multiply_add(w, values[v], acc[i][v]);
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int v = 0; v < kVectors; ++v) Products::store(sums + i * s.width + kLanes * v, acc[i][v]);
  }
}

/// Lines of the cache that are fetched a few at a time while something else is worked on: asked for all at once, they
/// would be waited for.
class Ahead {
 public:
  /// These rows of pages[page]; of no rows the page need not be there.
  Ahead(const void* const* pages, std::int64_t page, std::size_t row_bytes, Places rows) {
    if (rows.empty()) return;
    from_ = static_cast<const char*>(pages[page]) + static_cast<std::size_t>(rows.low) * row_bytes;
    n_bytes_ = (rows.high - rows.low) * static_cast<std::int64_t>(row_bytes);
  }
  /// Fetches on, as much as `part` of `all` is of the whole.
  void fetch(std::int64_t part, std::int64_t all) {
    const std::int64_t to = done_ + (n_bytes_ * part + all - 1) / all;
    for (; done_ < to && done_ < n_bytes_; done_ += 64) _mm_prefetch(from_ + done_, _MM_HINT_T1);
  }

 private:
  const char* from_ = nullptr;
  std::int64_t n_bytes_ = 0;
  std::int64_t done_ = 0;
};

/// Adds the weighted values of these places to the sums of the queries r ... r + R - 1.
template <class Products, int R, class T>
inline void mix(const AttendArgs& a, const AttendScratch& s, std::int64_t r, Places places, Rows<T> rows,
                Ahead& ahead) {
  if (places.empty()) return;
  constexpr int kElements = Products::elements_of(R);
  std::int64_t d = 0;
  const auto next = [&]<int N>() {
    ahead.fetch(std::int64_t{R} * N, a.n_queries * s.width);
    mix_some<Products, R, N>(a, s, r, places, rows, d);
    d += N;
  };
  while (d + kElements <= s.width) next.template operator()<kElements>();
  if constexpr (kElements > 32) {
    while (d + 32 <= s.width) next.template operator()<32>();
  }
  if constexpr (kElements > 16) {
    while (d < s.width) next.template operator()<16>();
  }
}

/// Two queries: together where both see a place, each alone before and after.
template <class Products, class T>
inline void mix_two(const AttendArgs& a, const AttendScratch& s, std::int64_t r, Places one, Places two, Rows<T> rows,
                    Ahead& ahead) {
  const std::int64_t low = one.low > two.low ? one.low : two.low;
  const std::int64_t high = one.high < two.high ? one.high : two.high;
  if (low >= high) {
    mix<Products, 1>(a, s, r, one, rows, ahead);
    mix<Products, 1>(a, s, r + 1, two, rows, ahead);
    return;
  }
  mix<Products, 1>(a, s, r, {one.low, low}, rows, ahead);
  mix<Products, 1>(a, s, r + 1, {two.low, low}, rows, ahead);
  mix<Products, 2>(a, s, r, {low, high}, rows, ahead);
  mix<Products, 1>(a, s, r, {high, one.high}, rows, ahead);
  mix<Products, 1>(a, s, r + 1, {high, two.high}, rows, ahead);
}

/// Query r and those behind it that go together with it: four that see the same, else two; returns how many.
template <class Products, class T>
inline std::int64_t mix_next(const AttendArgs& a, const AttendScratch& s, std::int64_t r, std::int64_t page,
                             Rows<T> rows, Ahead& ahead) {
  const Places one = places_of(a, r, page);
  std::int64_t n_same = 1;
  while (n_same < 4 && r + n_same < a.n_queries) {
    const Places other = places_of(a, r + n_same, page);
    if (other.low != one.low || other.high != one.high) break;
    ++n_same;
  }
  if (n_same == 4) {
    mix<Products, 4>(a, s, r, one, rows, ahead);
    return 4;
  }
  if (r + 1 == a.n_queries) {
    mix<Products, 1>(a, s, r, one, rows, ahead);
    return 1;
  }
  mix_two<Products>(a, s, r, one, places_of(a, r + 1, page), rows, ahead);
  return 2;
}

/// What any query sees of a page, rounded outwards to fours: the rows that are made floats.
inline Places seen_by_any(const AttendArgs& a, std::int64_t page) {
  Places all{a.page_positions, 0};
  for (std::int64_t r = 0; r < a.n_queries; ++r) {
    const Places places = places_of(a, r, page);
    if (places.empty()) continue;
    if (places.low < all.low) all.low = places.low;
    if (places.high > all.high) all.high = places.high;
  }
  return {all.low & ~std::int64_t{3}, (all.high + 3) & ~std::int64_t{3}};
}

/// So many queries at most have fp16 numbers made floats on the way: once for four, else once for each or two.
constexpr std::int64_t kFewQueries = 4;

/// Calls f(rows) with the keys or the values of a page: as they are kept, if they are fp16 numbers without gaps and few
/// queries want them; else made floats.
template <class Products, class F>
inline void with_rows(const AttendArgs& a, const AttendScratch& s, bool keys, std::int64_t page, Places places, F f) {
  const std::size_t row_bytes = keys ? a.k_row_bytes : a.v_row_bytes;
  const void* kept = (keys ? a.k_pages : a.v_pages)[page];
  if ((keys ? a.k_halves : a.v_halves) && a.n_queries <= kFewQueries && s.width == a.head_dim) {
    f(Rows<std::uint16_t>{static_cast<const std::uint16_t*>(kept), static_cast<std::int64_t>(row_bytes / 2)});
    return;
  }
  (keys ? a.load_keys : a.load_values)(
      static_cast<const char*>(kept) + static_cast<std::size_t>(places.low) * row_bytes, row_bytes,
      places.high - places.low, a.head_dim, s.width, s.page + places.low * s.width);
  f(Rows<float>{s.page, s.width});
}

/// Scores at `part` of a page of query r, and of those behind it that are worked out together with it; returns how many
/// they are.
template <class Products, class T>
inline std::int64_t score_next(const AttendArgs& a, const AttendScratch& s, std::int64_t r, std::int64_t page,
                               Places part, Rows<T> keys) {
  const auto seen = [&](std::int64_t query) {
    const Places all = places_of(a, query, page);
    return Places{all.low > part.low ? all.low : part.low, all.high < part.high ? all.high : part.high};
  };
  Places all = seen(r);
  if (all.empty()) return 1;
  const Places one = all;
  Places two = all;
  std::int64_t n = 1;
  for (; n < 4 && r + n < a.n_queries; ++n) {
    const Places places = seen(r + n);
    if (places.empty()) break;
    if (places.low < all.low) all.low = places.low;
    if (places.high > all.high) all.high = places.high;
    if (n == 1) two = all;
  }
  if (n == 4) {
    score<Products, 4>(a, s, r, all, keys);
    return 4;
  }
  if (n >= 2) {
    score<Products, 2>(a, s, r, two, keys);
    return 2;
  }
  score<Products, 1>(a, s, r, one, keys);
  return 1;
}

/// `any`: what is seen of this page, `next`: of the next one. What is worked on next lies somewhere else, which the
/// processor cannot foresee.
template <class Products>
inline void one_page(const AttendArgs& a, const AttendScratch& s, std::int64_t page, Places any, Places next) {
  if (any.empty()) return;
  constexpr std::int64_t kPart = 16;
  Ahead values_ahead(a.v_pages, page, a.v_row_bytes, any);
  with_rows<Products>(a, s, true, page, any, [&](auto keys) {
    for (std::int64_t low = any.low; low < any.high; low += kPart) {
      values_ahead.fetch(kPart, any.high - any.low);
      const Places part{low, low + kPart < any.high ? low + kPart : any.high};
      for (std::int64_t r = 0; r < a.n_queries;) r += score_next<Products>(a, s, r, page, part, keys);
    }
  });
  for (std::int64_t r = 0; r < a.n_queries; ++r) {
    const Places places = places_of(a, r, page);
    if (!places.empty()) weigh(a, s, r, places);
  }
  Ahead keys_ahead(a.k_pages, page + 1, a.k_row_bytes, next);
  with_rows<Products>(a, s, false, page, any, [&](auto values) {
    for (std::int64_t r = 0; r < a.n_queries;) r += mix_next<Products>(a, s, r, page, values, keys_ahead);
  });
}

template <class Products>
inline void attend_pages(const AttendArgs& a) {
  const AttendScratch s(a.scratch, a.n_queries, a.head_dim, a.page_positions);
  std::int64_t first = a.first[0];
  std::int64_t end = a.end[0];
  for (std::int64_t r = 0; r < a.n_queries; ++r) {
    for (std::int64_t d = 0; d < s.width; ++d) s.q[r * s.width + d] = d < a.head_dim ? a.q[r][d] : 0.0F;
    for (std::int64_t d = 0; d < s.width; ++d) s.sums[r * s.width + d] = 0.0F;
    s.top[r] = -__builtin_inff();
    s.total[r] = 0.0F;
    if (a.first[r] < first) first = a.first[r];
    if (a.end[r] > end) end = a.end[r];
  }
  std::int64_t page = first / a.page_positions;
  for (Places any = seen_by_any(a, page); page * a.page_positions < end; ++page) {
    const bool last = (page + 1) * a.page_positions >= end;
    const Places next = last ? Places{0, 0} : seen_by_any(a, page + 1);
    one_page<Products>(a, s, page, any, next);
    any = next;
  }
  for (std::int64_t r = 0; r < a.n_queries; ++r) {
    for (std::int64_t d = 0; d < a.head_dim; ++d) a.out[r][d] = s.sums[r * s.width + d] / s.total[r];
  }
}

}  // namespace
}  // namespace tern::kernels::avx2
