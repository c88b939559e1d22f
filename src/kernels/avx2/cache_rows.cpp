// Rows of keys and values in the formats that a cache may have, AVX2: what the scalar set stores and loads, bit for bit
// (a NaN apart, whose payload may differ). Rows of Q4_0 are stored by the scalar set.
#if defined(__x86_64__)

#include "kernels/avx2/blocks.hpp"
#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/simd.hpp"

namespace tern::kernels::avx2 {
namespace {

template <class Row>
inline void each_row(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n,
                     std::int64_t out_stride, float* out, Row row) {
  const auto* from = static_cast<const char*>(rows);
  for (std::int64_t i = 0; i < n_rows; ++i, from += row_bytes, out += out_stride) {
    row(from, out);
    for (std::int64_t d = n; d < out_stride; ++d) out[d] = 0.0F;
  }
}

/// Eight signed bytes at p as floats, times d.
inline __m256 eight_bytes(const void* p, __m256 d) {
  const __m256i q = _mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
  return _mm256_mul_ps(_mm256_cvtepi32_ps(q), d);
}

}  // namespace

void store_f32(const float* x, std::int64_t n, void* row) {
  __builtin_memcpy(row, x, static_cast<std::size_t>(n) * sizeof(float));
}

void store_f16(const float* x, std::int64_t n, void* row) {
  auto* out = static_cast<std::uint16_t*>(row);
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < n; ++i) {
    out[i] =
        static_cast<std::uint16_t>(_mm_extract_epi16(_mm_cvtps_ph(_mm_set_ss(x[i]), _MM_FROUND_TO_NEAREST_INT), 0));
  }
}

void store_q8_0(const float* x, std::int64_t n, void* row) {
  quantize_q8_0(x, n, row);
}

void load_f32(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
              float* out) {
  each_row(rows, row_bytes, n_rows, n, out_stride, out, [n](const char* from, float* to) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
  });
}

void load_f16(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
              float* out) {
  each_row(rows, row_bytes, n_rows, n, out_stride, out, [n](const char* from, float* to) {
    std::int64_t d = 0;
    for (; d + 8 <= n; d += 8) {
      _mm256_storeu_ps(to + d, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * d))));
    }
    for (; d < n; ++d) {
      std::uint16_t half;
      __builtin_memcpy(&half, from + 2 * d, 2);
      to[d] = half_to_float(half);
    }
  });
}

void load_q8_0(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
               float* out) {
  each_row(rows, row_bytes, n_rows, n, out_stride, out, [n](const char* from, float* to) {
    const auto* block = reinterpret_cast<const BlockQ8_0*>(from);
    for (std::int64_t d = 0; d + 32 <= n; d += 32, ++block) {
      const __m256 scale = _mm256_set1_ps(half_to_float(block->d));
      for (int i = 0; i < 32; i += 8) _mm256_storeu_ps(to + d + i, eight_bytes(block->q + i, scale));
    }
  });
}

void load_q4_0(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
               float* out) {
  each_row(rows, row_bytes, n_rows, n, out_stride, out, [n](const char* from, float* to) {
    const auto* block = reinterpret_cast<const BlockQ4_0*>(from);
    const __m128i mask = _mm_set1_epi8(15);
    const __m128i eight = _mm_set1_epi8(8);
    for (std::int64_t d = 0; d + 32 <= n; d += 32, ++block) {
      const __m256 scale = _mm256_set1_ps(half_to_float(block->d));
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block->q));
      alignas(16) std::int8_t codes[32];
      _mm_store_si128(reinterpret_cast<__m128i*>(codes), _mm_sub_epi8(_mm_and_si128(bytes, mask), eight));
      _mm_store_si128(reinterpret_cast<__m128i*>(codes + 16),
                      _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(bytes, 4), mask), eight));
      for (int i = 0; i < 32; i += 8) _mm256_storeu_ps(to + d + i, eight_bytes(codes + i, scale));
    }
  });
}

}  // namespace tern::kernels::avx2

#endif
