// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AMX.
//
// A tile of sums is 16 columns of the input by 16 rows of weights, as the outputs lie in memory. The input is the first
// factor and is loaded as it lies; the second has four neighbouring weights of a row in 32 bits, so rows are transposed
// while they are still packed, a quarter of the work of doing it afterwards. 32 rows meet 32 columns at once: four
// tiles of sums, two of each factor. Fewer columns than a tile has rows leave it to AVX-512.
//
// TDPBSUD adds four products to 32 bits and does not saturate: exact for the reason in avxvnni/ternary_rows.hpp.
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/amxint8/functions.hpp"
#include "kernels/amxint8/tiles.hpp"
#include "kernels/avx2/ternary_blocks.hpp"
#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::amxint8 {
namespace {

using avx2::kGroup;

constexpr std::int64_t kPartColumns = 512;  // of weights, unpacked at once: 16 KB for 32 rows, as much of the input
constexpr std::int64_t kBlockRows = 2 * kTileRows;
constexpr std::int64_t kHalfBytes = kPartColumns * kTileRows;  // of 16 unpacked rows

constexpr int kSums = 0;     // tiles 0 to 3: 2 * (half of the columns) + (half of the rows)
constexpr int kInput = 4;    // and 5
constexpr int kWeights = 6;  // and 7

/// Of up to 16 rows the columns of n / 128 groups, n at most kPartColumns: for every four columns 64 bytes, four for
/// each row. Rows that are not there are zero.
void unpack(const std::uint8_t* w, std::int64_t row_bytes, std::int64_t n_rows, std::int64_t n, std::uint8_t* out) {
  const __m512i mask = _mm512_set1_epi8(3);
  for (std::int64_t k = 0; k < n; k += 2 * kGroup) {
    const auto live = static_cast<__mmask16>(n - k > kGroup ? 0xffffU : 0xffU);  // two groups, or one
    __m512i words[16];  // of a row, then after transposing of 16 rows
    for (std::int64_t r = 0; r < kTileRows; ++r) {
      words[r] = r < n_rows ? _mm512_maskz_loadu_epi32(live, w + r * row_bytes + k / 4) : _mm512_setzero_si512();
    }
    avx512vnni::transpose16(words);
    for (std::int64_t group = 0; group < 2 && k + group * kGroup < n; ++group) {
      // A word of a group has four columns of each of its planes, which are 32 columns apart.
      std::uint8_t* to = out + (k + group * kGroup) * kTileRows;
      for (std::int64_t word = 0; word < 8; ++word) {
        for (unsigned plane = 0; plane < 4; ++plane) {
          const __m512i codes = _mm512_and_si512(_mm512_srli_epi16(words[group * 8 + word], 6 - 2 * plane), mask);
          _mm512_store_si512(to + (plane * 8 + word) * kTileBytes, codes);
        }
      }
    }
  }
}

/// How many columns of the input and rows of weights a step has, of each half.
struct Step {
  std::int64_t columns[2];
  std::int64_t rows[2];
  bool operator==(const Step&) const = default;
};

void set_shapes_of(const Step& step) {
  TileShapes shapes;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) shapes.set(kSums + 2 * i + j, step.columns[i], step.rows[j] * 4);
    shapes.set(kInput + i, step.columns[i], kTileBytes);
    shapes.set(kWeights + i, kTileRows, step.rows[i] * 4);
  }
  set_shapes(shapes);
}

/// One or both halves of 32 columns against those of 32 rows, over n columns of weights, added to the outputs.
template <bool kTwoOfColumns, bool kTwoOfRows>
void add_block(const std::int8_t* x, std::int64_t x_stride, const std::uint8_t* codes, std::int64_t n, std::int32_t* y,
               std::int64_t y_stride) {
  const std::int64_t y_bytes = y_stride * 4;
  const std::int8_t* x1 = x + kTileRows * x_stride;
  std::int32_t* y1 = y + kTileRows * y_stride;
  load<kSums>(y, y_bytes);
  if constexpr (kTwoOfRows) load<kSums + 1>(y + kTileRows, y_bytes);
  if constexpr (kTwoOfColumns) load<kSums + 2>(y1, y_bytes);
  if constexpr (kTwoOfColumns && kTwoOfRows) load<kSums + 3>(y1 + kTileRows, y_bytes);
  for (std::int64_t k = 0; k < n; k += kTileBytes) {
    const std::uint8_t* w = codes + k * kTileRows;
    load<kWeights>(w, kTileBytes);
    load<kInput>(x + k, x_stride);
    add_products<kSums, kInput, kWeights>();
    if constexpr (kTwoOfRows) {
      load<kWeights + 1>(w + kHalfBytes, kTileBytes);
      add_products<kSums + 1, kInput, kWeights + 1>();
    }
    if constexpr (kTwoOfColumns) {
      load<kInput + 1>(x1 + k, x_stride);
      add_products<kSums + 2, kInput + 1, kWeights>();
    }
    if constexpr (kTwoOfColumns && kTwoOfRows) add_products<kSums + 3, kInput + 1, kWeights + 1>();
  }
  store<kSums>(y, y_bytes);
  if constexpr (kTwoOfRows) store<kSums + 1>(y + kTileRows, y_bytes);
  if constexpr (kTwoOfColumns) store<kSums + 2>(y1, y_bytes);
  if constexpr (kTwoOfColumns && kTwoOfRows) store<kSums + 3>(y1 + kTileRows, y_bytes);
}

/// Up to 32 rows from `row` on.
void block_of_rows(const TernaryArgs& a, std::int64_t row, std::int64_t n_rows) {
  alignas(64) std::uint8_t codes[2 * kHalfBytes];
  const std::int64_t row_bytes = a.k_padded / 4;
  const auto y_stride = static_cast<std::int64_t>(a.y_stride);
  for (std::int64_t c = 0; c < a.n_cols; ++c) {
    for (std::int64_t r = 0; r < n_rows; ++r) a.y[c * y_stride + row + r] = -a.x_sums[c];
  }
  const std::int64_t first_rows = least(n_rows, kTileRows);
  Step shaped{};
  for (std::int64_t k = 0; k < a.k_padded; k += kPartColumns) {
    const std::int64_t n = least(kPartColumns, a.k_padded - k);
    const std::uint8_t* w = a.w + row * row_bytes + k / 4;
    unpack(w, row_bytes, first_rows, n, codes);
    if (n_rows > kTileRows) unpack(w + kTileRows * row_bytes, row_bytes, n_rows - kTileRows, n, codes + kHalfBytes);
    for (std::int64_t c = 0; c < a.n_cols; c += 2 * kTileRows) {
      const std::int64_t columns = least(2 * kTileRows, a.n_cols - c);
      const std::int64_t first_columns = least(columns, kTileRows);
      const Step step{{first_columns, columns - first_columns}, {first_rows, n_rows - first_rows}};
      if (step != shaped) {
        set_shapes_of(step);
        shaped = step;
      }
      const bool two_of_columns = columns > kTileRows;
      const auto add = n_rows > kTileRows ? (two_of_columns ? add_block<true, true> : add_block<false, true>)
                                          : (two_of_columns ? add_block<true, false> : add_block<false, false>);
      add(a.x + c * a.k_padded + k, a.k_padded, codes, n, a.y + c * y_stride + row, y_stride);
    }
  }
}

}  // namespace

void ternary(const TernaryArgs& a) {
  if (a.n_cols < kTileRows) return avx512vnni::ternary(a);
  for (std::int64_t row = 0; row < a.n_rows; row += kBlockRows)
    block_of_rows(a, row, least(kBlockRows, a.n_rows - row));
  release();
}

}  // namespace tern::kernels::amxint8

#endif
