// Matrix products by oneDNN, loaded when they are wanted: faster than OpenBLAS where it was measured (oneDNN 2.6 beside
// OpenBLAS 0.3.21 on an Emerald Rapids Xeon, shapes of a training step, one core: 4 to 27 %). And products of bfloat16
// numbers with float32 sums, for processors whose bf16 instructions are faster than their float32 ones (AMX; plain
// AVX512_BF16 is not: 87 GFLOP/s a core there against 145 in float32). Their operands are rounded to bfloat16, ties to
// even, on their way in: integers up to 256 come through exactly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "linalg/operand.hpp"

namespace tern::linalg {

class OneDnn {
 public:
  enum class Operands : std::uint8_t { float32, bfloat16 };

  /// Called by Blas::load, one at a time: it sets the environment for a moment. Errors: not_found where oneDNN is not
  /// installed; unsupported where it has no such product, or the processor no bf16 instructions.
  [[nodiscard]] static Result<OneDnn> load(Operands operands);

  /// As Blas::multiply.
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Operand& a, const Operand& b,
                float beta, float* c, std::int64_t c_stride) const;

  /// Version and instruction set: another one adds in another order.
  [[nodiscard]] const std::string& kernels() const { return kernels_; }

  /// Whether a kernels() was this library's, of either kind of operands.
  [[nodiscard]] static bool is_name_of_kernels(std::string_view kernels);

 private:
  template <typename T>
  using Gemm = int (*)(char trans_a, char trans_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                       const T* a, std::int64_t lda, const T* b, std::int64_t ldb, float beta, float* c,
                       std::int64_t ldc);
  OneDnn() = default;
  Gemm<float> f32_ = nullptr;  // one of the two is set
  Gemm<std::uint16_t> bf16_ = nullptr;
  std::string kernels_;
};

}  // namespace tern::linalg
