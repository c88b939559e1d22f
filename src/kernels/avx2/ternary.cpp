// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AVX2.
//
// vpmaddubsw multiplies weight codes 0..2 (unsigned) with activations (signed) and adds neighbours: at most 2*2*127 =
// 508 and at least 2*2*(-128) = -512. A 16-bit lane therefore holds 64 such pairs exactly (-512 * 64 = -32768, the
// smallest int16), and must be widened before the 65th. One pair covers one plane of a group of 128 columns, so with
// all four planes in one lane the limit is 16 groups = 2048 columns. The +1 in the codes is taken away by the column's
// sum.
//
// One column reads weights once and unpacks in registers. Several columns share an unpacked block in L1, in tiles of
// two rows and four columns. Integer sums do not depend on the order, so both give the same numbers.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kGroup = 128;       // columns in 32 bytes
constexpr std::int64_t kBlockGroups = 16;  // groups that 16-bit lanes can sum: 4 planes * 16 = 64 pairs
constexpr std::int64_t kBlockColumns = kGroup * kBlockGroups;
constexpr std::int64_t kBlockRows = 8;      // unpacked block: 8 x 2048 bytes
constexpr std::int64_t kBlockTokens = 128;  // columns whose part of 2048 stays in L2 (256 KB) while all rows pass
// Bytes ahead of the weights being read, one column. From 62 to 92 % of the streaming bandwidth on 2 MiB pages (Xeon
// with AVX2 code, 2026-11, a prototype of this loop).
constexpr std::int64_t kPrefetchL1 = 2048;
constexpr std::int64_t kPrefetchL2 = 5120;

inline __m256i widen(__m256i pairs) {
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/// R rows against one column. The planes at bits 3-2 are used in place as 4 * code: their pairs reach -2048, so such a
/// lane holds 16 of them, that is 8 groups of two planes; it is then divided by 4 (exactly) and joins the others:
/// -8192 (16 pairs of 512) - 8192 stays within int16.
template <int R>
inline void rows_by_one(const std::uint8_t* w, std::int64_t row_bytes, const std::int8_t* x, std::int64_t groups,
                        std::int32_t x_sum, std::int32_t* y) {
  const __m256i low = _mm256_set1_epi8(0x03);
  const __m256i high = _mm256_set1_epi8(0x0c);
  __m256i total[R];
  for (int r = 0; r < R; ++r) total[r] = _mm256_setzero_si256();
  for (std::int64_t g = 0; g < groups;) {
    const std::int64_t end = g + 8 < groups ? g + 8 : groups;
    __m256i ones[R];
    __m256i fours[R];
    for (int r = 0; r < R; ++r) ones[r] = fours[r] = _mm256_setzero_si256();
    for (; g < end; ++g) {
      const __m256i x0 = load(x + g * kGroup), x1 = load(x + g * kGroup + 32);
      const __m256i x2 = load(x + g * kGroup + 64), x3 = load(x + g * kGroup + 96);
      for (int r = 0; r < R; ++r) {
        const std::uint8_t* p = w + r * row_bytes + g * 32;
        if ((g & 1) == 0) {
          _mm_prefetch(reinterpret_cast<const char*>(p + kPrefetchL1), _MM_HINT_T0);
          _mm_prefetch(reinterpret_cast<const char*>(p + kPrefetchL2), _MM_HINT_T1);
        }
        const __m256i b = load(p);
        const __m256i t = _mm256_srli_epi16(b, 4);
        fours[r] = _mm256_add_epi16(fours[r], _mm256_maddubs_epi16(_mm256_and_si256(t, high), x0));
        ones[r] = _mm256_add_epi16(ones[r], _mm256_maddubs_epi16(_mm256_and_si256(t, low), x1));
        fours[r] = _mm256_add_epi16(fours[r], _mm256_maddubs_epi16(_mm256_and_si256(b, high), x2));
        ones[r] = _mm256_add_epi16(ones[r], _mm256_maddubs_epi16(_mm256_and_si256(b, low), x3));
      }
    }
    for (int r = 0; r < R; ++r) {
      total[r] = _mm256_add_epi32(total[r], widen(_mm256_add_epi16(ones[r], _mm256_srai_epi16(fours[r], 2))));
    }
  }
  for (int r = 0; r < R; ++r) y[r] = sum_lanes(total[r]) - x_sum;
}

/// Codes of `n_rows` rows, `groups` groups each, one byte a weight in the order of the columns.
inline void unpack(const std::uint8_t* w, std::int64_t row_bytes, std::int64_t n_rows, std::int64_t groups,
                   std::uint8_t* out) {
  const __m256i mask = _mm256_set1_epi8(3);
  for (std::int64_t r = 0; r < n_rows; ++r) {
    for (std::int64_t g = 0; g < groups; ++g) {
      const __m256i b = load(w + r * row_bytes + g * 32);
      std::uint8_t* o = out + r * kBlockColumns + g * kGroup;
      store(o, _mm256_and_si256(_mm256_srli_epi16(b, 6), mask));
      store(o + 32, _mm256_and_si256(_mm256_srli_epi16(b, 4), mask));
      store(o + 64, _mm256_and_si256(_mm256_srli_epi16(b, 2), mask));
      store(o + 96, _mm256_and_si256(b, mask));
    }
  }
}

/// Sums of R unpacked rows against C columns over at most kBlockColumns columns: sums[c * R + r].
template <int R, int C>
inline void tile(const std::uint8_t* codes, const std::int8_t* x, std::int64_t x_stride, std::int64_t n,
                 std::int32_t* sums) {
  __m256i acc[C][R];
  for (int c = 0; c < C; ++c) {
    for (int r = 0; r < R; ++r) acc[c][r] = _mm256_setzero_si256();
  }
  for (std::int64_t i = 0; i < n; i += 32) {
    __m256i w[R];
    for (int r = 0; r < R; ++r) w[r] = load(codes + r * kBlockColumns + i);
    for (int c = 0; c < C; ++c) {
      const __m256i v = load(x + c * x_stride + i);
      for (int r = 0; r < R; ++r) acc[c][r] = _mm256_add_epi16(acc[c][r], _mm256_maddubs_epi16(w[r], v));
    }
  }
  if constexpr (R * C == 8) {
    __m256i wide[8];
    for (int i = 0; i < 8; ++i) wide[i] = widen(acc[i / R][i % R]);
    store(sums, sums_of_eight(wide));
  } else {
    for (int i = 0; i < R * C; ++i) sums[i] = sum_lanes(widen(acc[i / R][i % R]));
  }
}

template <int R, int C>
inline void tile_into(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t first_row,
                      std::int64_t first_column, std::int64_t k0, std::int64_t n) {
  alignas(32) std::int32_t sums[R * C];
  tile<R, C>(codes, a.x + first_column * a.k_padded + k0, a.k_padded, n, sums);
  for (int c = 0; c < C; ++c) {
    std::int32_t* y = a.y + static_cast<std::size_t>(first_column + c) * a.y_stride + first_row;
    for (int r = 0; r < R; ++r) y[r] = (k0 == 0 ? -a.x_sums[first_column + c] : y[r]) + sums[c * R + r];
  }
}

template <int R>
inline void columns(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t row, std::int64_t c, std::int64_t end,
                    std::int64_t k0, std::int64_t n) {
  for (; c + 4 <= end; c += 4) tile_into<R, 4>(a, codes, row, c, k0, n);
  switch (end - c) {
    case 3:
      tile_into<R, 3>(a, codes, row, c, k0, n);
      break;
    case 2:
      tile_into<R, 2>(a, codes, row, c, k0, n);
      break;
    case 1:
      tile_into<R, 1>(a, codes, row, c, k0, n);
      break;
    default:
      break;
  }
}

}  // namespace

void ternary(const TernaryArgs& a) {
  const std::int64_t row_bytes = a.k_padded / 4;
  if (a.n_cols == 1) {
    std::int64_t r = 0;
    for (; r + 2 <= a.n_rows; r += 2) {
      rows_by_one<2>(a.w + r * row_bytes, row_bytes, a.x, a.k_padded / kGroup, a.x_sums[0], a.y + r);
    }
    if (r < a.n_rows) rows_by_one<1>(a.w + r * row_bytes, row_bytes, a.x, a.k_padded / kGroup, a.x_sums[0], a.y + r);
    return;
  }
  alignas(64) std::uint8_t codes[kBlockRows * kBlockColumns];
  for (std::int64_t c0 = 0; c0 < a.n_cols; c0 += kBlockTokens) {
    const std::int64_t end = a.n_cols - c0 < kBlockTokens ? a.n_cols : c0 + kBlockTokens;
    for (std::int64_t k0 = 0; k0 < a.k_padded; k0 += kBlockColumns) {
      const std::int64_t n = a.k_padded - k0 < kBlockColumns ? a.k_padded - k0 : kBlockColumns;
      for (std::int64_t row = 0; row < a.n_rows; row += kBlockRows) {
        const std::int64_t n_rows = a.n_rows - row < kBlockRows ? a.n_rows - row : kBlockRows;
        unpack(a.w + row * row_bytes + k0 / 4, row_bytes, n_rows, n / kGroup, codes);
        std::int64_t r = 0;
        for (; r + 2 <= n_rows; r += 2) columns<2>(a, codes + r * kBlockColumns, row + r, c0, end, k0, n);
        if (r < n_rows) columns<1>(a, codes + r * kBlockColumns, row + r, c0, end, k0, n);
      }
    }
  }
}

}  // namespace tern::kernels::avx2

#endif
