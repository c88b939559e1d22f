// Products of several columns with packed binary weights by look-up, AVX2: binary_lookup.hpp has the idea, and few
// columns; binary_sums.hpp has many.
//
// Nibbles are unpacked once into L1 for all columns, which go through the tables of 256 weight columns at a time: those
// of all columns stay in L2 while all panels pass.
#if defined(__x86_64__)

#include "kernels/avx2/binary_lookup.hpp"
#include "kernels/avx2/binary_sums.hpp"
#include "kernels/avx2/functions.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kBlockPanels = 4;  // unpacked: 4 x 2 KB

/// Nibbles of a part of some panels, a byte each: [panel][step][half][32 rows].
constexpr std::int64_t kUnpackedPanel = kPartSteps * 2 * kPanel;

inline void unpack(const std::uint8_t* w, std::int64_t n_steps, std::uint8_t* out) {
  const __m256i mask = _mm256_set1_epi8(15);
  for (std::int64_t s = 0; s < n_steps; ++s) {
    const __m256i bits = load(w + s * kPanel);
    store(out + s * 64, _mm256_and_si256(bits, mask));
    store(out + s * 64 + 32, _mm256_and_si256(_mm256_srli_epi16(bits, 4), mask));
  }
}

/// R unpacked panels against one column's tables of a part, added to `sums` or, for the first part, put there.
template <int R>
[[gnu::noinline]] void tile(const std::uint8_t* nibbles, const std::uint8_t* tables, std::int64_t n_steps, bool first,
                            float* y) {
  __m256i lanes[R][2];
  for (int r = 0; r < R; ++r) lanes[r][0] = lanes[r][1] = _mm256_setzero_si256();
  for (std::int64_t s = 0; s < n_steps; s += 4, nibbles += 4 * 64, tables += 4 * 64) {
    __m256i low[R];
    __m256i high[R];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const __m256i table_low = table_of(tables + i * 32), table_high = table_of(tables + i * 32 + 16);
      for (int r = 0; r < R; ++r) {
        const __m256i n = load(nibbles + r * kUnpackedPanel + i * 32);
        const __m256i l = _mm256_shuffle_epi8(table_low, n), h = _mm256_shuffle_epi8(table_high, n);
        if (i == 0) {
          low[r] = l;
          high[r] = h;
        } else {
          low[r] = _mm256_add_epi8(low[r], l);
          keep(low[r]);
          high[r] = _mm256_add_epi8(high[r], h);
          keep(high[r]);
        }
      }
    }
    for (int r = 0; r < R; ++r) {
      const Joined both = joined(low[r], high[r]);
      for (int i = 0; i < 2; ++i) lanes[r][i] = _mm256_add_epi16(lanes[r][i], both.v[i]);
    }
  }
  for (int r = 0; r < R; ++r) {
    auto* kept = reinterpret_cast<__m256i_u*>(y + r * kPanel);  // integers, until the last part has been added
    Sums sums;
    for (int i = 0; i < 4; ++i) sums.v[i] = first ? _mm256_setzero_si256() : _mm256_loadu_si256(kept + i);
    sums.add(lanes[r]);
    for (int i = 0; i < 4; ++i) _mm256_storeu_si256(kept + i, sums.v[i]);
  }
}

/// All panels against some columns.
void block_of_columns(const BinaryArgs& a, std::int64_t first_column, std::int64_t n_cols) {
  alignas(64) std::uint8_t nibbles[kBlockPanels * kUnpackedPanel];
  const std::int64_t n_steps = a.k_padded / 8;
  const auto column = [&](std::int64_t c) { return a.y + static_cast<std::size_t>(first_column + c) * a.y_stride; };
  for (std::int64_t s = 0; s < n_steps; s += kPartSteps) {
    const std::int64_t steps = n_steps - s < kPartSteps ? n_steps - s : kPartSteps;
    for (std::int64_t p = 0; p < a.n_panels; p += kBlockPanels) {
      const std::int64_t n = a.n_panels - p < kBlockPanels ? a.n_panels - p : kBlockPanels;
      for (std::int64_t i = 0; i < n; ++i)
        unpack(a.w + ((p + i) * n_steps + s) * kPanel, steps, nibbles + i * kUnpackedPanel);
      for (std::int64_t c = 0; c < n_cols; ++c) {
        const std::uint8_t* tables = a.tables + static_cast<std::size_t>(first_column + c) * a.table_stride + s * 64;
        float* y = column(c) + p * kPanel;
        std::int64_t i = 0;
        for (; i + 2 <= n; i += 2) tile<2>(nibbles + i * kUnpackedPanel, tables, steps, s == 0, y + i * kPanel);
        if (i < n) tile<1>(nibbles + i * kUnpackedPanel, tables, steps, s == 0, y + i * kPanel);
      }
    }
  }
  for (std::int64_t c = 0; c < n_cols; ++c) {
    const Finish finish(a, first_column + c);
    for (std::int64_t p = 0; p < a.n_panels; ++p) {
      Sums sums;
      float* y = column(c) + p * kPanel;
      for (int i = 0; i < 4; ++i) sums.v[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(y) + i);
      finish(sums, y);
    }
  }
}

}  // namespace

void binary_tables(const std::int8_t* codes, std::int64_t k_padded, std::uint8_t* tables) {
  // Which of two codes count, for the sixteen nibbles: bits 0 and 1, then bits 2 and 3.
  const __m256i first =
      _mm256_setr_epi8(0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1);
  const __m256i second =
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  const __m256i offset = _mm256_set1_epi16(512);
  const __m256i low_bits = _mm256_set1_epi16(31);
  for (std::int64_t i = 0; i < k_padded; i += 4, tables += 32) {
    std::int16_t pair[2];
    __builtin_memcpy(pair, codes + i, 4);
    const __m256i sums =
        _mm256_add_epi16(offset, _mm256_add_epi16(_mm256_maddubs_epi16(first, _mm256_set1_epi16(pair[0])),
                                                  _mm256_maddubs_epi16(second, _mm256_set1_epi16(pair[1]))));
    const __m256i parts = _mm256_packus_epi16(_mm256_and_si256(sums, low_bits), _mm256_srli_epi16(sums, 5));
    store(tables, _mm256_permute4x64_epi64(parts, _MM_SHUFFLE(3, 1, 2, 0)));
  }
}

void binary(const BinaryArgs& a) {
  static_assert(kFewColumns < kBinarySumsFrom);
  if (a.n_cols == 1) return one_column(a);
  if (a.n_cols <= kFewColumns) return few_columns(a);
  const std::int64_t in_runs = columns_in_runs(kBinarySumsFrom, a.n_cols);
  for (std::int64_t c = 0; c < in_runs; c += kSumColumns) {
    binary_by_sums(a, c, in_runs - c < kSumColumns ? in_runs - c : kSumColumns);
  }
  if (in_runs < a.n_cols) block_of_columns(a, in_runs, a.n_cols - in_runs);
}

}  // namespace tern::kernels::avx2

#endif
