// Products of many columns with packed binary weights by tables of sums (layout of the weights:
// kernels/binary_pack.hpp). In an anonymous namespace, as simd.hpp.
//
// For 32 columns of the input, five neighbouring weights of a row name one of 32 sums: of those activations that they
// count. So 64 weights are 13 fields, of 5 bits and the last of 4, and as many lines of 32 sums of 16 bits: an addition
// of 32 lanes stands for 160 multiply-adds.
//
// Bounds: a field adds at least 5 * -128 and at most 5 * 127; four passes of 64 weights add 256 activations: at least
// -32768 and at most 32512, which a lane of 16 bits holds. Then it is widened. With S the sum of the activations that
// count, a product is 2 * S - (the sum of all).
#pragma once

#include <cstring>

#include "kernels/avx2/sum_tables.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr int kFieldBits = 5;
constexpr std::int64_t kWordBits = 64;
constexpr int kFields = 13;
constexpr std::int64_t kFieldLines = 1 << kFieldBits;
constexpr std::int64_t kWordSteps = 8;      // bytes of a row in a word
constexpr std::int64_t kWordsOf16Bits = 4;  // that a 16-bit lane holds
constexpr std::int64_t kStackRows = 512;    // at once: their sums are on the stack
constexpr std::int64_t kPanelRows = 32;

/// The tables of 64 weights: x[half][i] 16 columns' activations beside weight i.
inline void fill_fields(const __m256i x[2][kWordBits], char* tables) {
  for (int f = 0; f < kFields; ++f) {
    char* table = tables + f * kFieldLines * kLine;
    store(table, _mm256_setzero_si256());
    store(table + 32, _mm256_setzero_si256());
    const int n_bits = f < kFields - 1 ? kFieldBits : kWordBits - (kFields - 1) * kFieldBits;
    for (int b = 0; b < n_bits; ++b) {
      const __m256i left = x[0][f * kFieldBits + b];
      const __m256i right = x[1][f * kFieldBits + b];
      char* to = table + (std::int64_t{1} << b) * kLine;
      for (std::int64_t e = 0; e < std::int64_t{1} << b; ++e) {
        store(to + e * kLine, add16(load(table + e * kLine), left));
        store(to + e * kLine + 32, add16(load(table + e * kLine + 32), right));
      }
    }
  }
}

/// Up to eight steps of a panel as a word of 64 weights for each of its rows; steps that are not there as zeros.
inline void words_of(const std::uint8_t* steps, std::int64_t n_steps, std::uint64_t* words) {
  __m256i a[8];
  for (std::int64_t s = 0; s < 8; ++s) a[s] = s < n_steps ? load(steps + s * kPanelRows) : _mm256_setzero_si256();
  __m256i b[8];  // two steps: of rows 0 to 7 and 16 to 23, and of the others
  for (int i = 0; i < 4; ++i) {
    b[2 * i] = _mm256_unpacklo_epi8(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm256_unpackhi_epi8(a[2 * i], a[2 * i + 1]);
  }
  for (int half = 0; half < 2; ++half) {  // rows 8 half, and 16 further
    const __m256i low0 = _mm256_unpacklo_epi16(b[half], b[2 + half]),
                  low1 = _mm256_unpackhi_epi16(b[half], b[2 + half]);
    const __m256i high0 = _mm256_unpacklo_epi16(b[4 + half], b[6 + half]);
    const __m256i high1 = _mm256_unpackhi_epi16(b[4 + half], b[6 + half]);
    const __m256i rows[4] = {_mm256_unpacklo_epi32(low0, high0), _mm256_unpackhi_epi32(low0, high0),
                             _mm256_unpacklo_epi32(low1, high1), _mm256_unpackhi_epi32(low1, high1)};
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 8 * half + 2 * i), _mm256_castsi256_si128(rows[i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 16 + 8 * half + 2 * i), _mm256_extracti128_si256(rows[i], 1));
    }
  }
}

/// Adds what the words of rows look up to their sums, or widens them into totals at the end.
template <bool kBegins, bool kEnds, bool kAdds>
[[gnu::noinline]] void look_up_fields(const std::uint64_t* words, std::int64_t n_rows, const char* tables,
                                      std::int16_t* sums, std::int32_t* totals) {
  for (std::int64_t r = 0; r < n_rows; ++r) {
    const std::uint64_t word = words[r];
    Line line = kBegins ? Line::zero() : Line::load(sums + r * kSumColumns);
#pragma GCC unroll 13
    for (int f = 0; f < kFields; ++f) {
      constexpr int kLineBits = 6;
      const int shift = f * kFieldBits - kLineBits;
      const std::uint64_t at = (shift < 0 ? word << -shift : word >> shift) & (kFieldLines - 1) * kLine;
      line.add(tables + f * kFieldLines * kLine + at);
    }
    if constexpr (kEnds) {
      line.widen<kAdds>(totals + r * kSumColumns);
    } else {
      line.store(sums + r * kSumColumns);
    }
  }
}

using LookUpFn = void (*)(const std::uint64_t*, std::int64_t, const char*, std::int16_t*, std::int32_t*);

LookUpFn look_up_for(bool begins, bool ends, bool adds) {
  if (!ends) return begins ? look_up_fields<true, false, false> : look_up_fields<false, false, false>;
  if (begins) return adds ? look_up_fields<true, true, true> : look_up_fields<true, true, false>;
  return adds ? look_up_fields<false, true, true> : look_up_fields<false, true, false>;
}

/// All panels against the columns [first, first + n_cols), at most 32.
inline void binary_by_sums(const BinaryArgs& a, std::int64_t first, std::int64_t n_cols) {
  alignas(64) char tables[kFields * kFieldLines * kLine];
  alignas(64) std::int32_t totals[kStackRows * kSumColumns];
  alignas(64) std::int16_t sums[kStackRows * kSumColumns];
  alignas(64) std::uint64_t words[kStackRows];
  const std::int8_t* columns[kSumColumns];
  columns_of(a.codes + static_cast<std::size_t>(first) * a.code_stride, a.code_stride, n_cols, columns);
  const std::int64_t n_steps = a.k_padded / 8;
  const std::int64_t n_words = (n_steps + kWordSteps - 1) / kWordSteps;
  for (std::int64_t p = 0; p < a.n_panels; p += kStackRows / kPanelRows) {
    const std::int64_t left = a.n_panels - p;
    const std::int64_t n_panels = left < kStackRows / kPanelRows ? left : kStackRows / kPanelRows;
    for (std::int64_t word = 0; word < n_words; ++word) {
      const std::int64_t step = word * kWordSteps;
      const std::int64_t steps = n_steps - step < kWordSteps ? n_steps - step : kWordSteps;
      __m256i x[2][kWordBits];
      if (steps < kWordSteps) std::memset(x, 0, sizeof x);
      for (int half = 0; half < 2; ++half) {
        for (std::int64_t s = 0; s < steps; ++s) transpose_codes(columns + 16 * half, 8 * (step + s), x[half] + 8 * s);
      }
      fill_fields(x, tables);
      for (std::int64_t i = 0; i < n_panels; ++i) {
        words_of(a.w + ((p + i) * n_steps + step) * kPanelRows, steps, words + i * kPanelRows);
      }
      const bool ends = word % kWordsOf16Bits == kWordsOf16Bits - 1 || word == n_words - 1;
      look_up_for(word % kWordsOf16Bits == 0, ends, word >= kWordsOf16Bits)(words, n_panels * kPanelRows, tables, sums,
                                                                            totals);
    }
    finish_rows(
        totals, n_panels * kPanelRows, n_cols, a.y + static_cast<std::size_t>(first) * a.y_stride + p * kPanelRows,
        a.y_stride, [&](std::int64_t c, __m256i counted) {
          const __m256i all = _mm256_set1_epi32(a.x_sums[first + c]);
          const __m256i product = _mm256_sub_epi32(_mm256_add_epi32(counted, counted), all);
          const __m256 unscaled = _mm256_div_ps(_mm256_cvtepi32_ps(product), _mm256_set1_ps(a.x_scales[first + c]));
          return _mm256_mul_ps(unscaled, _mm256_set1_ps(a.w_scale));
        });
  }
}

}  // namespace
}  // namespace tern::kernels::avx2
