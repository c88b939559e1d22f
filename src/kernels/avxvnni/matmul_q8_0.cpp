// Weights in blocks of 32 times q8_0 activations, AVX-VNNI: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1. The loops, the float
// operations and so the bits are those of avx2/q8_0_panels.hpp. vpdpbusd takes unsigned codes and adds four products to
// 32 bits: nothing is widened. Q8_0's signed codes are made unsigned by adding 128.
#if defined(__x86_64__)

#include "kernels/avx2/q8_0_panels.hpp"
#include "kernels/avxvnni/functions.hpp"

namespace tern::kernels::avxvnni {
namespace {

struct Products {
  template <class F>
  static constexpr int kOffset = F::kSigned ? 128 : F::kOffset;

  template <class F>
  static inline __m256i codes(const typename F::Block* row, std::int64_t b) {
    const __m256i q = F::codes(row, b);
    return F::kSigned ? _mm256_xor_si256(q, _mm256_set1_epi8(static_cast<char>(0x80))) : q;
  }

  template <class F>
  static inline __m256i sum(__m256i codes, __m256i x) {
    return _mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), codes, x);
  }

  // Two sums a column, so that fewer products wait for the one before.
  template <class F, int C>
  static inline void sums(const __m256i* panel, const std::int8_t* const* x, __m256i* out) {
    __m256i odd[C];
    for (int c = 0; c < C; ++c) out[c] = odd[c] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
      const __m256i w0 = panel[i];
      const __m256i w1 = panel[i + 1];
      for (int c = 0; c < C; ++c) {
        out[c] = _mm256_dpbusd_avx_epi32(out[c], w0, avx2::broadcast4(x[c] + 4 * i));
        avx2::keep(out[c]);
        odd[c] = _mm256_dpbusd_avx_epi32(odd[c], w1, avx2::broadcast4(x[c] + 4 * i + 4));
        avx2::keep(odd[c]);
      }
    }
    for (int c = 0; c < C; ++c) out[c] = _mm256_add_epi32(out[c], odd[c]);
  }
};

}  // namespace

void matmul_q8_0(const MatmulArgs& args) {
  avx2::matmul_blocks_of_32<avx2::Q8_0, Products>(args);
}
void matmul_q4_0(const MatmulArgs& args) {
  avx2::matmul_blocks_of_32<avx2::Q4_0, Products>(args);
}
void matmul_q4_1(const MatmulArgs& args) {
  avx2::matmul_blocks_of_32<avx2::Q4_1, Products>(args);
}
void matmul_q5_0(const MatmulArgs& args) {
  avx2::matmul_blocks_of_32<avx2::Q5_0, Products>(args);
}
void matmul_q5_1(const MatmulArgs& args) {
  avx2::matmul_blocks_of_32<avx2::Q5_1, Products>(args);
}

}  // namespace tern::kernels::avxvnni

#endif
