// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AVX2.
//
// vpmaddubsw multiplies weight codes 0..2 (unsigned) with activations (signed) and adds neighbours: at most 2*2*127 =
// 508 and at least 2*2*(-128) = -512. A 16-bit lane therefore holds 64 such pairs exactly (-512 * 64 = -32768, the
// smallest int16), and must be widened before the 65th. One pair covers one plane of a group of 128 columns, so with
// all four planes in one lane the limit is 16 groups = 2048 columns. The +1 in the codes is taken away by the column's
// sum.
//
// Few columns read weights once and unpack in registers. Many columns share an unpacked block in L1, in tiles of two
// rows and six columns (ternary_tile.hpp). Integer sums do not depend on the order, so all give the same numbers.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"
#include "kernels/avx2/ternary_blocks.hpp"
#include "kernels/avx2/ternary_row.hpp"
#include "kernels/avx2/ternary_tile.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kBlockGroups = kTernaryBlockColumns / kGroup;  // 4 planes * 16 groups = 64 pairs
constexpr std::int64_t kBlockRows = 8;  // unpacked block: 8 x 2048 bytes, which leaves room in L1 for six columns

/// R rows, `row_bytes` apart, against one column. After 8 groups fours are divided by 4 (exactly) and join the others:
/// -8192 (16 pairs of 512) - 8192 stays within 16 bits.
template <int R>
inline void rows_by_one(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x, std::int64_t groups,
                        std::int32_t x_sum, std::int32_t* y, std::int64_t y_stride) {
  __m256i total[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) total[r] = _mm256_setzero_si256();
  for (std::int64_t g = 0; g < groups;) {
    const std::int64_t end = g + 8 < groups ? g + 8 : groups;
    __m256i ones[R];
    __m256i fours[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) ones[r] = fours[r] = _mm256_setzero_si256();
    for (; g + 2 <= end; g += 2) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) add_two_groups(ones[r], fours[r], w + r * row_bytes + g * 32, x + g * kGroup);
    }
    if (g < end) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) add_group(ones[r], fours[r], w + r * row_bytes + g * 32, x + g * kGroup);
      ++g;
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      total[r] = _mm256_add_epi32(total[r], widen(_mm256_add_epi16(ones[r], _mm256_srai_epi16(fours[r], 2))));
    }
  }
  store_sums<R>(total, x_sum, y, y_stride);
}

/// One row against a few columns, unpacked in registers once for all of them. All planes are shifted down to codes, so
/// that a lane holds 16 groups and needs one sum a column: faster here than the trick of ternary_row.hpp.
template <int C>
[[gnu::noinline]] void row_by_few(const std::uint8_t* w, const std::int8_t* x, std::int64_t x_stride,
                                  std::int64_t groups, const std::int32_t* x_sums, std::int32_t* y,
                                  std::size_t y_stride) {
  const __m256i mask = _mm256_set1_epi8(3);
  __m256i total[C];
  for (int c = 0; c < C; ++c) total[c] = _mm256_setzero_si256();
  for (std::int64_t g = 0; g < groups;) {
    const std::int64_t end = g + kBlockGroups < groups ? g + kBlockGroups : groups;
    __m256i pairs[C];
    for (int c = 0; c < C; ++c) pairs[c] = _mm256_setzero_si256();
    for (; g < end; ++g) {
      const std::uint8_t* p = w + g * 32;
      if ((g & 1) == 0) prefetch(p);
      const __m256i b = load(p);
      const __m256i w0 = _mm256_and_si256(_mm256_srli_epi16(b, 6), mask);
      const __m256i w1 = _mm256_and_si256(_mm256_srli_epi16(b, 4), mask);
      const __m256i w2 = _mm256_and_si256(_mm256_srli_epi16(b, 2), mask);
      const __m256i w3 = _mm256_and_si256(b, mask);
      for (int c = 0; c < C; ++c) {
        const std::int8_t* v = x + c * x_stride + g * kGroup;
        pairs[c] = _mm256_add_epi16(pairs[c], _mm256_maddubs_epi16(w0, load(v)));
        pairs[c] = _mm256_add_epi16(pairs[c], _mm256_maddubs_epi16(w1, load(v + 32)));
        pairs[c] = _mm256_add_epi16(pairs[c], _mm256_maddubs_epi16(w2, load(v + 64)));
        pairs[c] = _mm256_add_epi16(pairs[c], _mm256_maddubs_epi16(w3, load(v + 96)));
      }
    }
    for (int c = 0; c < C; ++c) total[c] = _mm256_add_epi32(total[c], widen(pairs[c]));
  }
  for (int c = 0; c < C; ++c) y[static_cast<std::size_t>(c) * y_stride] = sum_lanes(total[c]) - x_sums[c];
}

template <int C>
void rows_by_few(const TernaryArgs& a) {
  const std::int64_t row_bytes = a.k_padded / 4;
  for (std::int64_t r = 0; r < a.n_rows; ++r) {
    row_by_few<C>(a.w + r * row_bytes, a.x, a.k_padded, a.k_padded / kGroup, a.x_sums, a.y + r, a.y_stride);
  }
}

/// R unpacked rows, one or two, against C columns: begins the outputs with the first part, adds to them with the
/// others.
template <int R, int C>
inline void tile_into(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t row, std::int64_t column,
                      Part part) {
  alignas(32) std::int32_t sums[R * C];
  const std::int8_t* x = a.x + column * a.k_padded + part.k0;
  if constexpr (R == 2) {
    ternary_two_rows<C>(codes, x, a.k_padded, part.n, sums);
  } else {
    ternary_one_row<C>(codes, x, a.k_padded, part.n, sums);
  }
  for (int c = 0; c < C; ++c) add_part(a, row, R, column + c, part, sums + c * R);
}

/// All unpacked rows against C columns, whose parts stay in L1 meanwhile.
template <int C>
inline void rows_by(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows,
                    std::int64_t column, Part part) {
  std::int64_t r = 0;
  for (; r + 2 <= n_rows; r += 2) tile_into<2, C>(a, codes + r * kTernaryBlockColumns, row + r, column, part);
  if (r < n_rows) tile_into<1, C>(a, codes + r * kTernaryBlockColumns, row + r, column, part);
}

void one_column(const TernaryArgs& a) {
  each_row_of_streams(a,
                      [&]<int R>(const std::uint8_t* w, std::int64_t stride, std::int32_t* y, std::int64_t y_stride) {
                        rows_by_one<R>(w, stride, a.x, a.k_padded / kGroup, a.x_sums[0], y, y_stride);
                      });
}

void many_columns(const TernaryArgs& a) {
  each_tile_of_six<kBlockRows, kTernaryBlockColumns>(
      a, [&]<int C>(const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows, std::int64_t c, Part part) {
        rows_by<C>(a, codes, row, n_rows, c, part);
      });
}

}  // namespace

void ternary(const TernaryArgs& a) {
  switch (a.n_cols) {
    case 1:
      return one_column(a);
    case 2:
      return rows_by_few<2>(a);
    case 3:
      return rows_by_few<3>(a);
    case 4:
      return rows_by_few<4>(a);
    case 5:
      return rows_by_few<5>(a);
    default:
      return many_columns(a);
  }
}

}  // namespace tern::kernels::avx2

#endif
