// Products with packed ternary weights whose sums of four are looked up (layout: kernels/ternary_pack.hpp), AVX2, for
// 32 columns of the input at once.
//
// A byte of weights is four codes, 0, 1 or 2 each: 81 ways to add, leave or subtract four activations. All 81 are made
// for 32 columns, in 16-bit lanes, and the byte itself says which is wanted: 128 multiply-adds are one load of the
// byte, two loads of a line of sums and two additions, where vpmaddubsw takes four products and four additions.
//
//   tables     eight bytes' worth at a time, 40 KB of lines that are used (of 185 lines a byte, 81), so that they stay
//              in the first or the second cache while all rows pass
//   rows       add their eight lines to 32 sums of 16 bits, which lie in the scratch memory between two passes
//
// Bounds: a line holds at most 4 * 128 = 512 of either sign; seven passes of eight bytes add 56 of them, 28672, to a
// 16-bit lane, which is then widened. All sums are exact, so their order does not matter.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/sum_tables.hpp"
#include "kernels/kernel_set.hpp"

namespace tern::kernels::avx2 {
namespace {

constexpr std::int64_t kPassBytes = 8;     // of a row, each with a table
constexpr std::int64_t kPassesOf16 = 7;    // that a 16-bit lane holds
constexpr std::int64_t kGroupBytes = 32;   // of 128 columns; also the columns between the four codes of a byte
constexpr std::int64_t kTableLines = 185;  // 171 are named by a byte; 185 spread the tables over the sets of a cache
constexpr std::int64_t kRowsAhead = 12;    // whose weights are fetched
static_assert(((kPassBytes - 1) * kTableLines + 256) * kLine <= kSumTableBytes, "whatever a byte is");

/// The nine sums of two numbers that are each subtracted, left or added; codes[3 * first + second].
inline void sums_of_two(__m256i first, __m256i second, __m256i* sums) {
  const __m256i zero = _mm256_setzero_si256();
  sums[1] = _mm256_sub_epi16(zero, first);
  sums[0] = _mm256_sub_epi16(sums[1], second);
  sums[2] = add16(sums[1], second);
  sums[3] = _mm256_sub_epi16(zero, second);
  sums[4] = zero;
  sums[5] = second;
  sums[6] = _mm256_sub_epi16(first, second);
  sums[7] = first;
  sums[8] = add16(first, second);
}

/// Adds the low sums [kFirst, kFirst + kN) to all high ones and stores lines of a table. Both halves of a line follow
/// one another: a core stores twice in a cycle only where it is the same line.
template <int kFirst, int kN>
inline void fill_lines(const __m256i high[2][9], const __m256i low[2][9], char* table) {
  __m256i a[kN];
  __m256i b[kN];
#pragma GCC unroll 9
  for (int i = 0; i < kN; ++i) {
    a[i] = low[0][kFirst + i];
    b[i] = low[1][kFirst + i];
    keep(a[i]);
    keep(b[i]);
  }
#pragma GCC unroll 1
  for (int h = 0; h < 9; ++h) {
    char* lines = table + (h / 3 * 64 + h % 3 * 16) * kLine;
    const __m256i x = high[0][h];
    const __m256i y = high[1][h];
#pragma GCC unroll 9
    for (int i = 0; i < kN; ++i) {
      char* line = lines + ((kFirst + i) / 3 * 4 + (kFirst + i) % 3) * kLine;
      store(line, add16(x, a[i]));
      store(line + 32, add16(y, b[i]));
    }
  }
}

/// The numbers of a group of 128 columns of weights, 32 columns of the input each: at [half][plane][byte] 16 of those
/// that byte `byte` of a row's group multiplies by the code of that plane.
struct GroupInput {
  __m256i x[2][4][kGroupBytes];
};

/// columns: the codes of 32 columns from the group's first on.
void transpose_group(const std::int8_t* const* columns, std::int64_t k, GroupInput& out) {
  for (int half = 0; half < 2; ++half) {
    for (int plane = 0; plane < 4; ++plane) {
      for (std::int64_t i = 0; i < kGroupBytes; i += 8) {
        transpose_codes(columns + 16 * half, k + plane * kGroupBytes + i, out.x[half][plane] + i);
      }
    }
  }
}

/// The table of one byte of a group.
void fill_table(const GroupInput& in, std::int64_t byte, char* table) {
  __m256i high[2][9];
  __m256i low[2][9];
  for (int half = 0; half < 2; ++half) {
    const auto& x = in.x[half];
    sums_of_two(x[0][byte], x[1][byte], high[half]);
    sums_of_two(x[2][byte], x[3][byte], low[half]);
  }
  fill_lines<0, 5>(high, low, table);
  fill_lines<5, 4>(high, low, table);
}

/// Where a row's sums come from and go to in a pass.
enum class Sums { begin, go_on };
enum class Out { lanes16, begin, add };

/// Adds what the bytes [0, kPassBytes) at w of every row look up.
template <Sums kSums, Out kOut>
[[gnu::noinline]] void pass(const std::uint8_t* w, std::int64_t row_bytes, std::int64_t n_rows, const char* tables,
                            std::int16_t* sums, std::int32_t* totals) {
  for (std::int64_t r = 0; r < n_rows; ++r, w += row_bytes, sums += kSumColumns) {
    _mm_prefetch(reinterpret_cast<const char*>(w + kRowsAhead * row_bytes), _MM_HINT_T0);
    // Loads are what bounds this loop, so the bytes come in one.
    std::uint64_t bytes;
    __builtin_memcpy(&bytes, w, sizeof bytes);
    Line line = kSums == Sums::begin ? Line::zero() : Line::load(sums);
#pragma GCC unroll 8
    for (std::int64_t j = 0; j < kPassBytes; ++j) {
      const std::uint64_t at = (j == 0 ? bytes << 6 : bytes >> (8 * j - 6)) & 255 * kLine;
      line.add(tables + j * kTableLines * kLine + at);
    }
    if constexpr (kOut == Out::lanes16) {
      line.store(sums);
    } else {
      line.widen<kOut == Out::add>(totals + r * kSumColumns);
    }
  }
}

using PassFn = void (*)(const std::uint8_t*, std::int64_t, std::int64_t, const char*, std::int16_t*, std::int32_t*);

PassFn pass_for(bool begins, bool ends, bool is_first_end) {
  if (!ends) return begins ? pass<Sums::begin, Out::lanes16> : pass<Sums::go_on, Out::lanes16>;
  if (is_first_end) return pass<Sums::go_on, Out::begin>;  // a row has four passes at least
  return begins ? pass<Sums::begin, Out::add> : pass<Sums::go_on, Out::add>;
}

}  // namespace

void ternary_tables(const TernaryTablesArgs& a) {
  char* tables = a.scratch;
  auto* totals = reinterpret_cast<std::int32_t*>(a.scratch + kSumTableBytes);
  auto* sums = reinterpret_cast<std::int16_t*>(totals + (a.n_rows + 7) / 8 * 8 * kSumColumns);
  const std::int8_t* columns[kSumColumns];
  columns_of(a.x, a.x_stride, a.n_cols, columns);
  const std::int64_t row_bytes = a.k_padded / 4;
  GroupInput input;
  for (std::int64_t byte = 0; byte < row_bytes; byte += kPassBytes) {
    if (byte % kGroupBytes == 0) transpose_group(columns, 4 * byte, input);
    for (std::int64_t j = 0; j < kPassBytes; ++j) {
      fill_table(input, byte % kGroupBytes + j, tables + j * kTableLines * kLine);
    }
    const std::int64_t p = byte / kPassBytes;
    const bool ends = p % kPassesOf16 == kPassesOf16 - 1 || byte + kPassBytes == row_bytes;
    pass_for(p % kPassesOf16 == 0, ends, p < kPassesOf16)(a.w + byte, row_bytes, a.n_rows, tables, sums, totals);
  }
  finish_rows(totals, a.n_rows, a.n_cols, a.y, a.y_stride, [&](std::int64_t c, __m256i sums_of_rows) {
    const __m256 unscaled = _mm256_div_ps(_mm256_cvtepi32_ps(sums_of_rows), _mm256_set1_ps(a.x_scales[c]));
    return _mm256_mul_ps(unscaled, _mm256_set1_ps(a.w_scale));
  });
}

}  // namespace tern::kernels::avx2

#endif
