// Ternary weights by columns (layout: kernels/ternary_panels.hpp), unpacked with four neighbouring columns of a row in
// a 32-bit lane: what vpdpbusd multiplies, and what a tile of AMX holds as its second factor. In an anonymous
// namespace, as simd.hpp.
#pragma once

#include "kernels/avx512vnni/simd.hpp"
// After it:
#include "kernels/ternary_panel_layout.hpp"

namespace tern::kernels::avx512vnni {
namespace {

constexpr std::int64_t kPanelTileColumns = 256;  // of weights, unpacked at once: 16 KB for 64 rows
constexpr std::int64_t kStepBytes = 256;         // of 64 rows and four columns
constexpr std::int64_t kPlaneBytes = kPanelTileColumns / 4 * kStepBytes;

/// Four columns of a panel with their bytes interleaved: vector m has, four to a lane, the codes of rows 16 m .. 16 m +
/// 15 at bits 7-6, of the rows 64, 128 and 192 further at the bits below.
inline void interleave(const __m512i* columns, __m512i* fours) {
  const __m512i low0 = _mm512_unpacklo_epi8(columns[0], columns[1]);
  const __m512i low1 = _mm512_unpacklo_epi8(columns[2], columns[3]);
  const __m512i high0 = _mm512_unpackhi_epi8(columns[0], columns[1]);
  const __m512i high1 = _mm512_unpackhi_epi8(columns[2], columns[3]);
  fours[0] = _mm512_unpacklo_epi16(low0, low1);
  fours[1] = _mm512_unpackhi_epi16(low0, low1);
  fours[2] = _mm512_unpacklo_epi16(high0, high1);
  fours[3] = _mm512_unpackhi_epi16(high0, high1);
}

inline __m512i plane(__m512i v, unsigned shift) {
  return _mm512_and_si512(_mm512_srli_epi16(v, shift), _mm512_set1_epi8(3));
}

/// n neighbouring columns of a panel, a multiple of 4 and at most kPanelTileColumns, as four planes of 64 rows: for
/// every four columns 256 bytes.
inline void unpack_panel(const std::uint8_t* columns, std::int64_t n, std::uint8_t* out) {
  for (std::int64_t k = 0; k < n; k += 4, columns += 4 * kTernaryPanelColumn, out += kStepBytes) {
    __m512i bytes[4];
    for (int i = 0; i < 4; ++i) bytes[i] = _mm512_loadu_si512(columns + i * kTernaryPanelColumn);
    __m512i fours[4];
    interleave(bytes, fours);
    for (unsigned q = 0; q < 4; ++q) {
      for (int m = 0; m < 4; ++m) _mm512_store_si512(out + q * kPlaneBytes + m * 64, plane(fours[m], 6 - 2 * q));
    }
  }
}

}  // namespace
}  // namespace tern::kernels::avx512vnni
