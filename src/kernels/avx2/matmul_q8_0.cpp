// Weights in blocks of 32 (or 64, 128) times q8_0 activations, AVX2: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q1_0, Q2_0. The
// loops are those of q8_0_panels.hpp; vpmaddubsw multiplies, in 16 bits as long as they hold the sum.
#if defined(__x86_64__)

#include "kernels/avx2/functions.hpp"
#include "kernels/avx2/q8_0_panels.hpp"

namespace tern::kernels::avx2 {
namespace {

struct Products {
  template <class F>
  static constexpr int kOffset = F::kOffset;

  template <class F>
  static inline __m256i codes(const typename F::Block* row, std::int64_t b) {
    return F::codes(row, b);
  }

  template <class F>
  static inline __m256i pairs(__m256i codes, __m256i x) {
    if constexpr (F::kSigned) return _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes));
    return _mm256_maddubs_epi16(codes, x);
  }

  template <class F>
  static inline __m256i sum(__m256i codes, __m256i x) {
    return _mm256_madd_epi16(pairs<F>(codes, x), _mm256_set1_epi16(1));
  }

  template <class F, int C>
  static inline void sums(const __m256i* panel, const std::int8_t* const* x, __m256i* out) {
    for (int c = 0; c < C; ++c) out[c] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += F::kRun) {
      __m256i run[C];
      const __m256i first = panel[i];
      for (int c = 0; c < C; ++c) run[c] = pairs<F>(first, broadcast4(x[c] + 4 * i));
#pragma GCC unroll 8
      for (int j = i + 1; j < i + F::kRun; ++j) {
        const __m256i w = panel[j];
        for (int c = 0; c < C; ++c) {
          run[c] = _mm256_add_epi16(run[c], pairs<F>(w, broadcast4(x[c] + 4 * j)));
          keep(run[c]);
        }
      }
      for (int c = 0; c < C; ++c) {
        out[c] = _mm256_add_epi32(out[c], _mm256_madd_epi16(run[c], _mm256_set1_epi16(1)));
        keep(out[c]);
      }
    }
  }
};

}  // namespace

void matmul_q8_0(const MatmulArgs& args) {
  matmul_blocks_of_32<Q8_0, Products>(args);
}
void matmul_q4_0(const MatmulArgs& args) {
  matmul_blocks_of_32<Q4_0, Products>(args);
}
void matmul_q4_1(const MatmulArgs& args) {
  matmul_blocks_of_32<Q4_1, Products>(args);
}
void matmul_q5_0(const MatmulArgs& args) {
  matmul_blocks_of_32<Q5_0, Products>(args);
}
void matmul_q5_1(const MatmulArgs& args) {
  matmul_blocks_of_32<Q5_1, Products>(args);
}
void matmul_q1_0(const MatmulArgs& args) {
  matmul_blocks_of_32<Q1_0, Products>(args);
}
void matmul_q2_0(const MatmulArgs& args) {
  matmul_blocks_of_32<Q2_0, Products>(args);
}

}  // namespace tern::kernels::avx2

#endif
