// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AVX-VNNI. One to five columns
// read weights once and unpack in registers (ternary_rows.hpp). Many columns share an unpacked block in L1, in tiles of
// two rows and six columns: twelve sums, two weights, one input.
#if defined(__x86_64__)

#include "kernels/avxvnni/functions.hpp"
#include "kernels/avxvnni/ternary_rows.hpp"

namespace tern::kernels::avxvnni {
namespace {

constexpr std::int64_t kBlockColumns = 4096;  // of weights, unpacked at once; also the distance of unpacked rows
constexpr std::int64_t kBlockRows = 4;        // 16 KB, which leaves room in L1 for six columns

/// sums[2 c + r], 32-bit lanes, of rows codes + r * kBlockColumns and columns x + c * x_stride, over n columns of
/// weights, a multiple of 32. Alone in a function, unrolled, and without a use of the sums but to store them: otherwise
/// GCC 12 keeps them in memory.
template <int C>
[[gnu::noinline]] void two_rows(const std::uint8_t* codes, const std::int8_t* x, std::int64_t x_stride, std::int64_t n,
                                __m256i* sums) {
  __m256i acc[2 * C];
#pragma GCC unroll 16
  for (__m256i& sum : acc) sum = _mm256_setzero_si256();
  for (std::int64_t i = 0; i < n; i += 32) {
    const __m256i w0 = avx2::load(codes + i);
    const __m256i w1 = avx2::load(codes + kBlockColumns + i);
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      __m256i v = avx2::load(x + c * x_stride + i);
      avx2::keep(v);  // loaded once, not once for each row
      acc[2 * c] = add_products(acc[2 * c], w0, v);
      acc[2 * c + 1] = add_products(acc[2 * c + 1], w1, v);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < 2 * C; ++i) avx2::store(sums + i, acc[i]);
}

/// Two unpacked rows, or one, against C columns: begins the outputs with the first part, adds to them with the others.
template <int C>
inline void tile_into(const TernaryArgs& a, const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows,
                      std::int64_t column, avx2::Part part) {
  constexpr int kEights = (2 * C + 7) / 8;
  __m256i sums[8 * kEights] = {};
  two_rows<C>(codes, a.x + column * a.k_padded + part.k0, a.k_padded, part.n, sums);
  alignas(32) std::int32_t numbers[8 * kEights];
  for (int i = 0; i < 8 * kEights; i += 8) avx2::store(numbers + i, avx2::sums_of_eight(sums + i));
  for (int c = 0; c < C; ++c) avx2::add_part(a, row, n_rows, column + c, part, numbers + 2 * c);
}

void many_columns(const TernaryArgs& a) {
  avx2::each_tile_of_six<kBlockRows, kBlockColumns>(
      a, [&]<int C>(const std::uint8_t* codes, std::int64_t row, std::int64_t n_rows, std::int64_t c, avx2::Part part) {
        for (std::int64_t r = 0; r < n_rows; r += 2)
          tile_into<C>(a, codes + r * kBlockColumns, row + r, n_rows - r < 2 ? n_rows - r : 2, c, part);
      });
}

}  // namespace

void ternary(const TernaryArgs& a) {
  switch (a.n_cols) {
    case 1:
      return one_column(a);
    case 2:
      return few_columns<2, 4>(a);
    case 3:
      return few_columns<3, 2>(a);
    case 4:
      return few_columns<4, 2>(a);
    case 5:
      return few_columns<5, 2>(a);
    default:
      return many_columns(a);
  }
}

}  // namespace tern::kernels::avxvnni

#endif
