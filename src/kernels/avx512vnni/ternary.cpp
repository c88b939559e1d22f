// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AVX-512 with VNNI.
//
// vpdpbusd multiplies four weight codes 0..2 (unsigned) with four activations (signed) and adds them to a 32-bit lane:
// nothing is widened, and a lane holds rows of any length that fits in memory (at most 1024 a step). The +1 in the
// codes is taken away by the column's sum.
//
// One to three columns read weights once and unpack in registers, in vectors of 256 bits: a plane of a group is 32
// columns, and the next plane of the same bits lies 128 columns further. Many columns share an unpacked block in L1, in
// tiles of four rows and six columns.
#if defined(__x86_64__)

#include "kernels/avx2/ternary_blocks.hpp"
#include "kernels/avx512vnni/functions.hpp"
#include "kernels/avx512vnni/ternary_tile.hpp"

namespace tern::kernels::avx512vnni {
namespace {

using avx2::each_row_of_streams;
using avx2::each_unpacked_block;
using avx2::kGroup;
using avx2::load;
using avx2::Part;
using avx2::prefetch;
using avx2::prefetch_stream;
using avx2::sum_lanes;
using avx2::sums_of_eight;

/// Both halves of a vector in memory, added.
inline __m256i halves_added(const __m512i* v) {
  return _mm256_add_epi32(load(v), load(reinterpret_cast<const char*>(v) + 32));
}

/// One row against C columns. A sum for each plane of each column: one alone would wait for itself, five cycles a step.
template <int C>
[[gnu::noinline]] void row_by_few(const std::uint8_t* w, const std::int8_t* x, std::int64_t x_stride,
                                  std::int64_t groups, const std::int32_t* x_sums, std::int32_t* y,
                                  std::size_t y_stride) {
  const __m256i mask = _mm256_set1_epi8(3);
  __m256i sums[C][4];
  for (int c = 0; c < C; ++c) {
    for (int p = 0; p < 4; ++p) sums[c][p] = _mm256_setzero_si256();
  }
  for (std::int64_t g = 0; g < groups; ++g) {
    if ((g & 1) == 0) prefetch(w + g * 32);
    const __m256i b = load(w + g * 32);
    const __m256i planes[4] = {_mm256_and_si256(_mm256_srli_epi16(b, 6), mask),
                               _mm256_and_si256(_mm256_srli_epi16(b, 4), mask),
                               _mm256_and_si256(_mm256_srli_epi16(b, 2), mask), _mm256_and_si256(b, mask)};
    for (int c = 0; c < C; ++c) {
      const std::int8_t* v = x + c * x_stride + g * kGroup;
      for (int p = 0; p < 4; ++p) sums[c][p] = _mm256_dpbusd_epi32(sums[c][p], planes[p], load(v + 32 * p));
    }
  }
  for (int c = 0; c < C; ++c) {
    const __m256i all =
        _mm256_add_epi32(_mm256_add_epi32(sums[c][0], sums[c][1]), _mm256_add_epi32(sums[c][2], sums[c][3]));
    y[static_cast<std::size_t>(c) * y_stride] = sum_lanes(all) - x_sums[c];
  }
}

/// R rows, `row_bytes` apart, against one column: more sums at once, so that none waits for itself.
template <int R>
inline void rows_by_one(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x, std::int64_t groups,
                        std::int32_t x_sum, std::int32_t* y, std::int64_t y_stride) {
  const __m256i mask = _mm256_set1_epi8(3);
  __m256i even[R];
  __m256i odd[R];
  for (int r = 0; r < R; ++r) even[r] = odd[r] = _mm256_setzero_si256();
  for (std::int64_t g = 0; g < groups; ++g) {
    const __m256i x0 = load(x + g * kGroup), x1 = load(x + g * kGroup + 32);
    const __m256i x2 = load(x + g * kGroup + 64), x3 = load(x + g * kGroup + 96);
    for (int r = 0; r < R; ++r) {
      const std::uint8_t* p = w + r * row_bytes + g * 32;
      if ((g & 1) == 0) prefetch_stream(p);
      const __m256i b = load(p);
      even[r] = _mm256_dpbusd_epi32(even[r], _mm256_and_si256(_mm256_srli_epi16(b, 6), mask), x0);
      odd[r] = _mm256_dpbusd_epi32(odd[r], _mm256_and_si256(_mm256_srli_epi16(b, 4), mask), x1);
      even[r] = _mm256_dpbusd_epi32(even[r], _mm256_and_si256(_mm256_srli_epi16(b, 2), mask), x2);
      odd[r] = _mm256_dpbusd_epi32(odd[r], _mm256_and_si256(b, mask), x3);
    }
  }
  for (int r = 0; r < R; ++r) y[r * y_stride] = sum_lanes(_mm256_add_epi32(even[r], odd[r])) - x_sum;
}

void one_column(const TernaryArgs& a) {
  each_row_of_streams(a,
                      [&]<int R>(const std::uint8_t* w, std::int64_t stride, std::int32_t* y, std::int64_t y_stride) {
                        rows_by_one<R>(w, stride, a.x, a.k_padded / kGroup, a.x_sums[0], y, y_stride);
                      });
}

template <int C>
void few_columns(const TernaryArgs& a) {
  const std::int64_t row_bytes = a.k_padded / 4;
  for (std::int64_t r = 0; r < a.n_rows; ++r) {
    row_by_few<C>(a.w + r * row_bytes, a.x, a.k_padded, a.k_padded / kGroup, a.x_sums, a.y + r, a.y_stride);
  }
}

/// All unpacked rows against C columns: begins the outputs with the first part, adds to them with the others.
template <int C>
inline void rows_by(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows,
                    std::int64_t column, Part part) {
  alignas(64) __m512i acc[kTileRows * C];
  ternary_tile<C>(codes, a.x + column * a.k_padded + part.k0, a.k_padded, part.n, acc);
  // Eight sums in the order [column][row]: two columns at once.
  for (int c = 0; c < C; c += 2) {
    __m256i halves[8];
    for (int i = 0; i < 8; ++i) halves[i] = c + i / 4 < C ? halves_added(acc + c * 4 + i) : _mm256_setzero_si256();
    alignas(32) std::int32_t sums[8];
    avx2::store(sums, sums_of_eight(halves));
    for (int i = c; i < C && i < c + 2; ++i) {
      std::int32_t* y = a.y + static_cast<std::size_t>(column + i) * a.y_stride + row;
      for (std::int64_t r = 0; r < n_rows; ++r) {
        y[r] = (part.k0 == 0 ? -a.x_sums[column + i] : y[r]) + sums[(i - c) * 4 + r];
      }
    }
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
  switch (a.n_cols) {
    case 1:
      return one_column(a);
    case 2:
      return few_columns<2>(a);
    case 3:
      return few_columns<3>(a);
    default:
      return many_columns(a);
  }
}

}  // namespace tern::kernels::avx512vnni

#endif
