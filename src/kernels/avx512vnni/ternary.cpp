// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AVX-512 with VNNI.
//
// vpdpbusd sums are exact for the reason in avxvnni/ternary_rows.hpp. A plane of a group is 32 columns, and the same
// plane of the next group lies 128 columns further: one column or a few unpack two groups of four rows in registers, up
// to four columns at a time. Many share an unpacked block in L1, in tiles of four rows and six columns.
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/avx2/streams.hpp"
#include "kernels/avx2/ternary_blocks.hpp"
#include "kernels/avx512vnni/functions.hpp"
#include "kernels/avx512vnni/ternary_tile.hpp"

namespace tern::kernels::avx512vnni {
namespace {

using avx2::each_unpacked_block;
using avx2::load;
using avx2::Part;

/// Up to so many columns are unpacked for in registers: 13824 rows of 2560, two threads, GMAC/s of 2, 4, 5, 6 and 8
/// columns 175, 217, 227, 241 and 285, by blocks 112, 196, 213, 303 and 352 (tern bench -s; Xeon, 2026-11).
constexpr std::int64_t kFewColumns = 5;

/// R rows, `row_bytes` apart, against C columns.
template <int R, int C>
[[gnu::noinline]] void rows_by_few(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x,
                                   std::int64_t x_stride, std::int64_t groups, const std::int32_t* x_sums,
                                   std::int32_t* y, std::int64_t y_row_stride, std::size_t y_stride) {
  const __m512i mask = _mm512_set1_epi8(3);
  __m512i acc[C][R];
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) acc[c][r] = _mm512_setzero_si512();
  }
  for (std::int64_t g = 0; g < groups; g += 2) {
    const bool is_one = g + 1 == groups;  // the last of a row: the upper half is zero
    __m512i bits[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const std::uint8_t* p = w + r * row_bytes + g * 32;
      avx2::prefetch_stream(p);
      bits[r] = is_one ? _mm512_zextsi256_si512(load(p)) : _mm512_loadu_si512(p);
    }
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      __m512i v[C];
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) {
        const std::int8_t* q = x + c * x_stride + g * avx2::kGroup + 32 * p;
        v[c] = is_one ? _mm512_zextsi256_si512(load(q)) : load_halves(q, q + avx2::kGroup);
      }
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const __m512i codes = _mm512_and_si512(_mm512_srli_epi16(bits[r], static_cast<unsigned>(6 - 2 * p)), mask);
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) acc[c][r] = _mm512_dpbusd_epi32(acc[c][r], codes, v[c]);
      }
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      y[static_cast<std::size_t>(c) * y_stride + static_cast<std::size_t>(r * y_row_stride)] =
          _mm512_reduce_add_epi32(acc[c][r]) - x_sums[c];
    }
  }
}

/// R rows, `row_bytes` apart, against one column. Two planes are used in place, as 4 * code, and have sums of their
/// own, each at most 2 * 4 * 128 * k / 32 in a lane.
template <int R>
inline void rows_by_one(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x, std::int64_t groups,
                        std::int32_t x_sum, std::int32_t* y, std::int64_t y_stride) {
  const __m512i low = _mm512_set1_epi8(0x03);
  const __m512i high = _mm512_set1_epi8(0x0c);
  __m512i ones[R];
  __m512i fours[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) ones[r] = fours[r] = _mm512_setzero_si512();
  const auto add = [&](int r, __m512i b, const __m512i* v) {
    const __m512i t = _mm512_srli_epi16(b, 4);
    fours[r] = _mm512_dpbusd_epi32(fours[r], _mm512_and_si512(t, high), v[0]);
    ones[r] = _mm512_dpbusd_epi32(ones[r], _mm512_and_si512(t, low), v[1]);
    fours[r] = _mm512_dpbusd_epi32(fours[r], _mm512_and_si512(b, high), v[2]);
    ones[r] = _mm512_dpbusd_epi32(ones[r], _mm512_and_si512(b, low), v[3]);
  };
  std::int64_t g = 0;
  for (; g + 2 <= groups; g += 2) {
    __m512i v[4];
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      const std::int8_t* q = x + g * avx2::kGroup + 32 * p;
      v[p] = load_halves(q, q + avx2::kGroup);
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const std::uint8_t* p = w + r * row_bytes + g * 32;
      avx2::prefetch_stream(p);
      add(r, _mm512_loadu_si512(p), v);
    }
  }
  if (g < groups) {  // the last of a row: the upper half is zero
    __m512i v[4];
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) v[p] = _mm512_zextsi256_si512(load(x + g * avx2::kGroup + 32 * p));
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) add(r, _mm512_zextsi256_si512(load(w + r * row_bytes + g * 32)), v);
  }
  __m256i total[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    const __m512i sum = _mm512_add_epi32(ones[r], _mm512_srai_epi32(fours[r], 2));
    total[r] = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
  }
  avx2::store_sums<R>(total, x_sum, y, y_stride);
}

void one_column(const TernaryArgs& a) {
  avx2::each_row_of_streams(
      a, [&]<int R>(const std::uint8_t* w, std::int64_t stride, std::int32_t* y, std::int64_t y_stride) {
        rows_by_one<R>(w, stride, a.x, a.k_padded / avx2::kGroup, a.x_sums[0], y, y_stride);
      });
}

void few_columns(const TernaryArgs& a) {
  avx2::each_row_of_streams(
      a, [&]<int R>(const std::uint8_t* w, std::int64_t stride, std::int32_t* y, std::int64_t y_row_stride) {
        avx2::each_few_columns(a.n_cols, [&]<int C>(std::int64_t c) {
          rows_by_few<R, C>(w, stride, a.x + c * a.k_padded, a.k_padded, a.k_padded / avx2::kGroup, a.x_sums + c,
                            y + static_cast<std::size_t>(c) * a.y_stride, y_row_stride, a.y_stride);
        });
      });
}

/// Of four rows against one column: each 128 bits of the result hold the rows' sums over their own four lanes.
inline __m512i sums_within(const __m512i* acc) {
  const __m512i rows01 = _mm512_add_epi32(_mm512_unpacklo_epi32(acc[0], acc[1]), _mm512_unpackhi_epi32(acc[0], acc[1]));
  const __m512i rows23 = _mm512_add_epi32(_mm512_unpacklo_epi32(acc[2], acc[3]), _mm512_unpackhi_epi32(acc[2], acc[3]));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(rows01, rows23), _mm512_unpackhi_epi64(rows01, rows23));
}

/// Neighbouring 128 bits of a, then of b, added.
inline __m512i quarters_added(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

/// As avx2::add_part, of up to four rows at once.
inline void add_four(const TernaryArgs& a, std::int64_t row, std::int64_t n_rows, std::int64_t column, Part part,
                     const std::int32_t* sums) {
  std::int32_t* y = a.y + static_cast<std::size_t>(column) * a.y_stride + row;
  const auto live = static_cast<__mmask8>((1U << n_rows) - 1);
  const __m128i before = part.k0 == 0 ? _mm_set1_epi32(-a.x_sums[column]) : _mm_maskz_loadu_epi32(live, y);
  _mm_mask_storeu_epi32(y, live, _mm_add_epi32(before, _mm_load_si128(reinterpret_cast<const __m128i*>(sums))));
}

/// All unpacked rows against C columns: begins the outputs with the first part, adds to them with the others.
template <int C>
inline void rows_by(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows,
                    std::int64_t column, Part part) {
  static_assert(C % 4 != 3, "columns are added up in pairs");
  alignas(64) __m512i acc[kTileRows * C];
  ternary_tile<C>(codes, a.x + column * a.k_padded + part.k0, a.k_padded, part.n, acc);
  for (int c = 0; c < C; c += 4) {
    const __m512i two = quarters_added(sums_within(acc + 4 * c), c + 1 < C ? sums_within(acc + 4 * c + 4) : acc[0]);
    const __m512i more = c + 2 < C ? quarters_added(sums_within(acc + 4 * c + 8), sums_within(acc + 4 * c + 12)) : two;
    alignas(64) std::int32_t sums[16];  // [column][row]
    _mm512_store_si512(sums, quarters_added(two, more));
    for (int i = c; i < C && i < c + 4; ++i) add_four(a, row, n_rows, column + i, part, sums + (i - c) * 4);
  }
}

void many_columns(const TernaryArgs& a) {
  each_unpacked_block<kTileRows, kBlockColumns>(a, [&](const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows,
                                                       std::int64_t c, std::int64_t end, Part part) {
    for (; c + 6 <= end; c += 6) rows_by<6>(a, codes, row, n_rows, c, part);
    if (c + 4 <= end) {
      rows_by<4>(a, codes, row, n_rows, c, part);
      c += 4;
    }
    if (c + 2 <= end) {
      rows_by<2>(a, codes, row, n_rows, c, part);
      c += 2;
    }
    if (c < end) rows_by<1>(a, codes, row, n_rows, c, part);
  });
}

}  // namespace

void ternary(const TernaryArgs& a) {
  if (a.n_cols == 1) return one_column(a);
  if (a.n_cols <= kFewColumns) return few_columns(a);
  many_columns(a);
}

}  // namespace tern::kernels::avx512vnni

#endif
