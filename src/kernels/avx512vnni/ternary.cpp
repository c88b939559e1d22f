// Exact integer products with packed ternary weights (layout: kernels/ternary_pack.hpp), AVX-512 with VNNI.
//
// vpdpbusd sums are exact for the reason in avxvnni/ternary_rows.hpp, which one column uses, in vectors of 256 bits: a
// plane of a group is 32 columns, and the next plane of the same bits lies 128 columns further. Several columns share
// an unpacked block in L1, in tiles of four rows and six columns; for two and three that is 1.45 to 1.48 times as fast
// as unpacking in registers (Xeon, 640 rows of 2560, 2026-11).
#if defined(__x86_64__)

#include "kernels/avx512vnni/functions.hpp"
#include "kernels/avx512vnni/ternary_tile.hpp"
#include "kernels/avxvnni/ternary_rows.hpp"

namespace tern::kernels::avx512vnni {
namespace {

using avx2::each_unpacked_block;
using avx2::load;
using avx2::Part;
using avx2::sums_of_eight;

/// Both halves of a vector in memory, added.
inline __m256i halves_added(const __m512i* v) {
  return _mm256_add_epi32(load(v), load(reinterpret_cast<const char*>(v) + 32));
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
    for (int i = c; i < C && i < c + 2; ++i) avx2::add_part(a, row, n_rows, column + i, part, sums + (i - c) * 4);
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
  if (a.n_cols == 1) return avxvnni::one_column(a);
  many_columns(a);
}

}  // namespace tern::kernels::avx512vnni

#endif
