// Products with packed binary weights (layout: kernels/binary_pack.hpp), AVX-512 with VNNI.
//
// One column and a few are looked up as with AVX2. Many columns are multiplied: vpdpbusd adds four products of a bit (0
// or 1) and an activation straight into 32-bit lanes, which are the rows of a panel, faster than AVX2 looks up. A
// part of a panel is unpacked once for all columns: four bits of a row into the four bytes of its lane. With S the sum
// of the activations at set bits, a product is 2 * S - (sum of all).
#if defined(__x86_64__)

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/avx2/binary_lookup.hpp"
#include "kernels/avx512vnni/functions.hpp"

namespace tern::kernels::avx512vnni {
namespace {

using avx2::kPanel;

constexpr std::int64_t kPartColumns = 512;  // of weights: 32 rows of them are 16 KB

/// Bit i of the low four in byte i, of each lane.
inline __m512i spread(__m512i nibbles) {
  return _mm512_and_si512(_mm512_mullo_epi32(nibbles, _mm512_set1_epi32(0x204081)), _mm512_set1_epi32(0x01010101));
}

/// n columns of a panel, a multiple of 8, as [n / 4][32 rows] lanes of four bytes.
inline void unpack(const std::uint8_t* w, std::int64_t n, std::uint8_t* out) {
  const __m512i low = _mm512_set1_epi32(15);
  for (std::int64_t i = 0; i < n / 8; ++i, w += kPanel, out += 8 * kPanel) {
    for (int half = 0; half < 2; ++half) {
      const __m512i bits = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16 * half)));
      _mm512_store_si512(out + 64 * half, spread(_mm512_and_si512(bits, low)));
      _mm512_store_si512(out + 128 + 64 * half, spread(_mm512_srli_epi32(bits, 4)));
    }
  }
}

/// A part of a panel against C columns: sums are kept in y as integers, put there by the first part.
template <int C>
[[gnu::noinline]] void tile(const std::uint8_t* bits, std::int64_t n, const std::int8_t* x, std::size_t x_stride,
                            bool first, float* y, std::size_t y_stride) {
  __m512i sums[C][2];
  for (int c = 0; c < C; ++c) sums[c][0] = sums[c][1] = _mm512_setzero_si512();
  for (std::int64_t i = 0; i < n; i += 4, bits += 4 * kPanel) {
    const __m512i upper = _mm512_load_si512(bits);
    const __m512i lower = _mm512_load_si512(bits + 64);
    for (int c = 0; c < C; ++c) {
      const __m512i v = broadcast4(x + static_cast<std::size_t>(c) * x_stride + i);
      sums[c][0] = _mm512_dpbusd_epi32(sums[c][0], upper, v);
      sums[c][1] = _mm512_dpbusd_epi32(sums[c][1], lower, v);
    }
  }
  for (int c = 0; c < C; ++c) {
    for (int half = 0; half < 2; ++half) {
      float* kept = y + static_cast<std::size_t>(c) * y_stride + 16 * half;
      const __m512i before = first ? _mm512_setzero_si512() : _mm512_loadu_si512(kept);
      _mm512_storeu_si512(kept, _mm512_add_epi32(before, sums[c][half]));
    }
  }
}

void many_columns(const BinaryArgs& a) {
  alignas(64) std::uint8_t bits[kPartColumns * kPanel];
  const std::int64_t panel_bytes = a.k_padded / 8 * kPanel;
  for (std::int64_t p = 0; p < a.n_panels; ++p) {
    for (std::int64_t k0 = 0; k0 < a.k_padded; k0 += kPartColumns) {
      const std::int64_t n = a.k_padded - k0 < kPartColumns ? a.k_padded - k0 : kPartColumns;
      unpack(a.w + p * panel_bytes + k0 / 8 * kPanel, n, bits);
      each_tile<8>(a.n_cols, [&]<int C>(std::int64_t c) {
        tile<C>(bits, n, a.codes + static_cast<std::size_t>(c) * a.code_stride + k0, a.code_stride, k0 == 0,
                a.y + static_cast<std::size_t>(c) * a.y_stride + p * kPanel, a.y_stride);
      });
    }
    for (std::int64_t c = 0; c < a.n_cols; ++c) {
      const __m512i all = _mm512_set1_epi32(a.x_sums[c]);
      const __m512 x_scale = _mm512_set1_ps(a.x_scales[c]);
      const __m512 w_scale = _mm512_set1_ps(a.w_scale);
      for (int half = 0; half < 2; ++half) {
        float* y = a.y + static_cast<std::size_t>(c) * a.y_stride + p * kPanel + 16 * half;
        const __m512i sum = _mm512_loadu_si512(y);
        const __m512 product = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_add_epi32(sum, sum), all));
        _mm512_storeu_ps(y, _mm512_mul_ps(_mm512_div_ps(product, x_scale), w_scale));
      }
    }
  }
}

}  // namespace

void binary(const BinaryArgs& a) {
  if (a.n_cols == 1) return avx2::one_column(a);
  if (a.n_cols <= avx2::kFewColumns) return avx2::few_columns(a);
  many_columns(a);
}

}  // namespace tern::kernels::avx512vnni

#endif
