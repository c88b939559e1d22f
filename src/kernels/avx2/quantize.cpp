// Rounding of activations to int8, AVX2: the same bits as the scalar set, which is the encoders of room formats.
// Every operation here is an exactly rounded one (division, multiplication, conversion), so only the order of the
// largest magnitude differs, and that has no rounding.
#if defined(__x86_64__)

#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

inline __m256 magnitude(__m256 v) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v);
}

/// Four vectors of 32-bit codes as 32 bytes in order, saturated.
inline __m256i pack32(__m256i a, __m256i b, __m256i c, __m256i d) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// Nearest integer, ties away from zero: truncation, corrected by the exact rest.
inline __m256i round_half_away(__m256 x) {
  const __m256i whole = _mm256_cvttps_epi32(x);
  const __m256 rest = _mm256_sub_ps(x, _mm256_cvtepi32_ps(whole));
  const __m256i up = _mm256_castps_si256(_mm256_cmp_ps(rest, _mm256_set1_ps(0.5F), _CMP_GE_OQ));
  const __m256i down = _mm256_castps_si256(_mm256_cmp_ps(rest, _mm256_set1_ps(-0.5F), _CMP_LE_OQ));
  return _mm256_add_epi32(_mm256_sub_epi32(whole, up), down);
}

/// The per-token code of eight scaled values: clamped (a NaN to 127), then rounded half to even.
inline __m256i token_codes(__m256 scaled) {
  scaled = _mm256_min_ps(scaled, _mm256_set1_ps(127.0F));
  return _mm256_cvtps_epi32(_mm256_max_ps(scaled, _mm256_set1_ps(-128.0F)));
}

inline bool is_finite(float v) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &v, 4);
  return (bits & 0x7f800000U) != 0x7f800000U;
}

}  // namespace

float quantize_token(const float* x, std::int64_t n, std::int8_t* q, std::int32_t* sum) {
  __m256 largest = _mm256_setzero_ps();
  __m256 nan = _mm256_setzero_ps();
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    nan = _mm256_or_ps(nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    largest = _mm256_max_ps(magnitude(v), largest);  // a NaN leaves the second operand
  }
  if (i < n) {
    const __m256 v = _mm256_maskload_ps(x + i, first_lanes(n - i));
    nan = _mm256_or_ps(nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    largest = _mm256_max_ps(magnitude(v), largest);
  }
  const float top = largest_lane(largest);
  float s = 127.0F * (1.0F / (top > 1e-5F ? top : 1e-5F));
  if (_mm256_movemask_ps(nan) != 0) s = __builtin_nanf("");
  const __m256 scale = _mm256_set1_ps(s);
  __m256i total = _mm256_setzero_si256();
  i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i a = token_codes(_mm256_mul_ps(_mm256_loadu_ps(x + i), scale));
    const __m256i b = token_codes(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8), scale));
    const __m256i c = token_codes(_mm256_mul_ps(_mm256_loadu_ps(x + i + 16), scale));
    const __m256i d = token_codes(_mm256_mul_ps(_mm256_loadu_ps(x + i + 24), scale));
    total = _mm256_add_epi32(total, _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d)));
    store(q + i, pack32(a, b, c, d));
  }
  std::int32_t rest = 0;
  for (; i < n; ++i) {
    const __m128i code = _mm256_castsi256_si128(token_codes(_mm256_mul_ps(_mm256_set1_ps(x[i]), scale)));
    const std::int32_t value = _mm_cvtsi128_si32(code);
    q[i] = static_cast<std::int8_t>(value);
    rest += value;
  }
  *sum = sum_lanes(total) + rest;
  return s;
}

void quantize_q8_0(const float* x, std::int64_t n, void* blocks) {
  BlockQ8_0* out = static_cast<BlockQ8_0*>(blocks);
  for (std::int64_t b = 0; b < n / 32; ++b, x += 32, ++out) {
    const __m256 v0 = _mm256_loadu_ps(x), v1 = _mm256_loadu_ps(x + 8);
    const __m256 v2 = _mm256_loadu_ps(x + 16), v3 = _mm256_loadu_ps(x + 24);
    const __m256 zero = _mm256_setzero_ps();
    const __m256 largest =
        _mm256_max_ps(_mm256_max_ps(magnitude(v0), magnitude(v1)), _mm256_max_ps(magnitude(v2), magnitude(v3)));
    // 0 * x is not 0 for NaN and infinity, and a NaN survives the sum.
    const __m256 probe = _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(v0, zero), _mm256_mul_ps(v1, zero)),
                                       _mm256_add_ps(_mm256_mul_ps(v2, zero), _mm256_mul_ps(v3, zero)));
    const bool finite = _mm256_movemask_ps(_mm256_cmp_ps(probe, probe, _CMP_UNORD_Q)) == 0;
    const float d = largest_lane(largest) / 127.0F;
    const std::uint16_t half =
        static_cast<std::uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(d), _MM_FROUND_TO_NEAREST_INT)) & 0xffff);
    if (!finite || (half & 0x7c00) == 0x7c00) {  // as the scalar set: a block that makes every product NaN
      __builtin_memset(out, 0, sizeof *out);
      out->d = 0x7e00;
      continue;
    }
    float inverse = d != 0.0F ? 1.0F / d : 0.0F;
    if (!is_finite(inverse)) inverse = 0.0F;
    const __m256 scale = _mm256_set1_ps(inverse);
    out->d = half;
    store(out->q, pack32(round_half_away(_mm256_mul_ps(v0, scale)), round_half_away(_mm256_mul_ps(v1, scale)),
                         round_half_away(_mm256_mul_ps(v2, scale)), round_half_away(_mm256_mul_ps(v3, scale))));
  }
}

void quantize_q8_k(const float* x, std::int64_t n, void* blocks) {
  BlockQ8_K* out = static_cast<BlockQ8_K*>(blocks);
  for (std::int64_t b = 0; b < n / 256; ++b, x += 256, ++out) {
    __m256 largest = _mm256_setzero_ps();
    __m256 probe = _mm256_setzero_ps();
    for (int i = 0; i < 256; i += 8) {
      const __m256 v = _mm256_loadu_ps(x + i);
      largest = _mm256_max_ps(magnitude(v), largest);
      probe = _mm256_add_ps(probe, _mm256_mul_ps(v, _mm256_setzero_ps()));
    }
    __builtin_memset(out, 0, sizeof *out);
    if (_mm256_movemask_ps(_mm256_cmp_ps(probe, probe, _CMP_UNORD_Q)) != 0) {
      out->d = __builtin_nanf("");
      continue;
    }
    const float top = largest_lane(largest);
    if (top == 0.0F) continue;
    float extreme = 0.0F;  // the first value of that magnitude, with its sign
    for (int i = 0; i < 256; i += 8) {
      const int equal =
          _mm256_movemask_ps(_mm256_cmp_ps(magnitude(_mm256_loadu_ps(x + i)), _mm256_set1_ps(top), _CMP_EQ_OQ));
      if (equal != 0) {
        extreme = x[i + __builtin_ctz(static_cast<unsigned>(equal))];
        break;
      }
    }
    const float inverse = -127.0F / extreme;
    if (!is_finite(inverse)) continue;
    const __m256 scale = _mm256_set1_ps(inverse);
    for (int i = 0; i < 256; i += 32) {
      const __m256i most = _mm256_set1_epi32(127);
      __m256i c[4];
      for (int j = 0; j < 4; ++j) {
        c[j] = _mm256_min_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(scale, _mm256_loadu_ps(x + i + 8 * j))), most);
      }
      store(out->q + i, pack32(c[0], c[1], c[2], c[3]));
      out->sums[i / 16] = static_cast<std::int16_t>(sum_lanes(_mm256_add_epi32(c[0], c[1])));
      out->sums[i / 16 + 1] = static_cast<std::int16_t>(sum_lanes(_mm256_add_epi32(c[2], c[3])));
    }
    out->d = 1.0F / inverse;
  }
}

}  // namespace tern::kernels::avx2

#endif
