// What the ternary kernels of AVX2 and of the sets above it have in common: reading packed rows ahead, and going
// through a product of many columns in blocks of unpacked rows that stay in L1. In an anonymous namespace, as simd.hpp:
// each file has its own copies, compiled for its own instructions.
#pragma once

#include <cstring>

#include "kernels/avx2/simd.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kGroup = 128;        // columns of weights in 32 bytes
constexpr std::int64_t kBlockTokens = 128;  // columns whose part of a block stays in L2 while all rows pass

/// What is read next, from both levels, where rows follow one another. From 62 to 92 % of the streaming bandwidth on 2
/// MiB pages (Xeon with AVX2 code, 2026-11, a prototype with one column and one stream).
inline void prefetch(const std::uint8_t* w) {
  _mm_prefetch(reinterpret_cast<const char*>(w + 2048), _MM_HINT_T0);
  _mm_prefetch(reinterpret_cast<const char*>(w + 5120), _MM_HINT_T1);
}

/// For one column or a few: kStreams rows at once, which lie a quarter of all rows apart. One row after the other is
/// one stream of addresses, of which a core keeps fewer lines under way: 11.3 to 13.0 GB/s, four streams 13.7 to 14.1,
/// where plain reading reached 14.3 to 15.2 (Xeon, VNNI, 288 rows of 1536 columns a call, 2026-11).
constexpr int kStreams = 4;

/// What the streams read next, in bytes ahead for the first and the second cache: distances of their own, for each goes
/// only a quarter as far as one alone.
constexpr std::int64_t kStreamNear = 1024;
constexpr std::int64_t kStreamFar = 2560;
inline void prefetch_stream(const std::uint8_t* w) {
  _mm_prefetch(reinterpret_cast<const char*>(w + kStreamNear), _MM_HINT_T0);
  _mm_prefetch(reinterpret_cast<const char*>(w + kStreamFar), _MM_HINT_T1);
}

/// Calls rows.operator()<R>(w, stride, y, y_stride) for all rows of a product: R rows that lie `stride`
/// bytes apart, whose outputs in the first column lie y_stride apart. R is kStreams, or 1 for the rows that are left
/// over.
template <class F>
inline void each_row_of_streams(const TernaryArgs& a, F rows) {
  const std::int64_t row_bytes = a.k_padded / 4;
  const std::int64_t share = a.n_rows / kStreams;
  for (std::int64_t r = 0; r < share; ++r)
    rows.template operator()<kStreams>(a.w + r * row_bytes, share * row_bytes, a.y + r, share);
  for (std::int64_t r = share * kStreams; r < a.n_rows; ++r)
    rows.template operator()<1>(a.w + r * row_bytes, row_bytes, a.y + r, 1);
}

/// The outputs of the R rows of one step, kStreams or 1: the sums of total[r]'s lanes less the column's.
template <int R>
inline void store_sums(const __m256i* total, std::int32_t x_sum, std::int32_t* y, std::int64_t y_stride) {
  alignas(16) std::int32_t sums[kStreams];
  if constexpr (R == kStreams) {
    _mm_store_si128(reinterpret_cast<__m128i*>(sums), sums_of_four(total));
  } else {
    static_assert(R == 1);
    sums[0] = sum_lanes(total[0]);
  }
  for (int r = 0; r < R; ++r) y[r * y_stride] = sums[r] - x_sum;
}

/// Codes of `n_rows` rows, `groups` groups each, one byte a weight in the order of the columns, rows kColumns apart.
template <std::int64_t kColumns>
inline void unpack(const std::uint8_t* w, std::int64_t row_bytes, std::int64_t n_rows, std::int64_t groups,
                   std::uint8_t* out) {
  const __m256i mask = _mm256_set1_epi8(3);
  for (std::int64_t r = 0; r < n_rows; ++r) {
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::uint8_t* p = w + r * row_bytes + g * 32;
      if ((g & 1) == 0) _mm_prefetch(reinterpret_cast<const char*>(p + n_rows * row_bytes), _MM_HINT_T0);
      const __m256i b = load(p);
      std::uint8_t* o = out + r * kColumns + g * kGroup;
      store(o, _mm256_and_si256(_mm256_srli_epi16(b, 6), mask));
      store(o + 32, _mm256_and_si256(_mm256_srli_epi16(b, 4), mask));
      store(o + 64, _mm256_and_si256(_mm256_srli_epi16(b, 2), mask));
      store(o + 96, _mm256_and_si256(b, mask));
    }
  }
}

/// A part of the columns of weights: [k0, k0 + n), n > 0 a multiple of 128.
struct Part {
  std::int64_t k0;
  std::int64_t n;
};

/// Calls columns(codes, row, n_rows, first, end, part) for every block of at most kRows rows and kColumns columns of
/// weights, unpacked, and every run of columns [first, end) of the input. Parts are of nearly the same size. Rows that
/// a last block lacks are zero in `codes`.
template <std::int64_t kRows, std::int64_t kColumns, class F>
inline void each_unpacked_block(const TernaryArgs& a, F columns) {
  const std::int64_t row_bytes = a.k_padded / 4;
  const std::int64_t groups = a.k_padded / kGroup;
  const std::int64_t n_parts = (a.k_padded + kColumns - 1) / kColumns;
  alignas(64) std::uint8_t codes[kRows * kColumns];
  for (std::int64_t first = 0; first < a.n_cols; first += kBlockTokens) {
    const std::int64_t end = a.n_cols - first < kBlockTokens ? a.n_cols : first + kBlockTokens;
    for (std::int64_t p = 0; p < n_parts; ++p) {
      const std::int64_t g0 = groups * p / n_parts;
      const Part part{g0 * kGroup, (groups * (p + 1) / n_parts - g0) * kGroup};
      for (std::int64_t row = 0; row < a.n_rows; row += kRows) {
        const std::int64_t n_rows = a.n_rows - row < kRows ? a.n_rows - row : kRows;
        unpack<kColumns>(a.w + row * row_bytes + part.k0 / 4, row_bytes, n_rows, part.n / kGroup, codes);
        for (std::int64_t r = n_rows; r < kRows; ++r) {
          std::memset(codes + r * kColumns, 0, static_cast<std::size_t>(part.n));
        }
        columns(codes, row, n_rows, first, end, part);
      }
    }
  }
}

/// Calls tile.operator()<C>(c) for the columns [c, c + C) of [first, end): six at once as long as what is left at the
/// end divides into tiles that are not small.
template <class F>
inline void each_six_columns(std::int64_t first, std::int64_t end, F tile) {
  for (std::int64_t c = first; c < end;) {
    const std::int64_t left = end - c;
    if (left == 6 || left >= 11) {
      tile.template operator()<6>(c);
      c += 6;
    } else if (left == 5 || left >= 9) {
      tile.template operator()<5>(c);
      c += 5;
    } else if (left >= 4) {
      tile.template operator()<4>(c);
      c += 4;
    } else if (left == 3) {
      tile.template operator()<3>(c);
      c += 3;
    } else if (left == 2) {
      tile.template operator()<2>(c);
      c += 2;
    } else {
      tile.template operator()<1>(c);
      c += 1;
    }
  }
}

/// The two above: calls tile.operator()<C>(codes, row, n_rows, c, part) for all of a product.
template <std::int64_t kRows, std::int64_t kColumns, class F>
inline void each_tile_of_six(const TernaryArgs& a, F tile) {
  each_unpacked_block<kRows, kColumns>(a, [&](const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows,
                                              std::int64_t first, std::int64_t end, Part part) {
    each_six_columns(first, end,
                     [&]<int C>(std::int64_t c) { tile.template operator()<C>(codes, row, n_rows, c, part); });
  });
}

/// The outputs of n_rows rows and a column from their sums over a part: begun with the first part, added to with the
/// others.
inline void add_part(const TernaryArgs& a, std::int64_t row, std::int64_t n_rows, std::int64_t column, Part part,
                     const std::int32_t* sums) {
  std::int32_t* y = a.y + static_cast<std::size_t>(column) * a.y_stride + row;
  for (std::int64_t r = 0; r < n_rows; ++r) y[r] = (part.k0 == 0 ? -a.x_sums[column] : y[r]) + sums[r];
}

}  // namespace
}  // namespace tern::kernels::avx2
