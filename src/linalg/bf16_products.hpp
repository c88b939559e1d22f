// Matrix products of bfloat16 numbers with float32 sums, by oneDNN, loaded when they are wanted: for processors whose
// bf16 instructions are faster than their float32 ones (AMX; plain AVX512_BF16 is not: measured, oneDNN 2.6 on an
// Emerald Rapids Xeon without AMX, 87 GFLOP/s a core against 145 of OpenBLAS in float32). Operands are rounded to
// bfloat16, ties to even, on their way in: integers up to 256 come through exactly.
#pragma once

#include <cstdint>

#include "base/error.hpp"

namespace tern::linalg {

struct Operand;

class Bf16Products {
 public:
  /// Errors: not_found where oneDNN is not installed; unsupported where it has no such product, or the processor no
  /// bf16 instructions.
  [[nodiscard]] static Result<Bf16Products> load();

  /// As Blas::multiply.
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Operand& a, const Operand& b,
                float beta, float* c, std::int64_t c_stride) const;

 private:
  using Gemm = int (*)(char trans_a, char trans_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                       const std::uint16_t* a, std::int64_t lda, const std::uint16_t* b, std::int64_t ldb, float beta,
                       float* c, std::int64_t ldc);
  Bf16Products() = default;
  Gemm gemm_ = nullptr;
};

}  // namespace tern::linalg
