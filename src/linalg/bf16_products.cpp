#include "linalg/bf16_products.hpp"

#include <dlfcn.h>

#include <memory>

#include "base/half.hpp"
#include "linalg/blas.hpp"
#include "linalg/load_environment.hpp"
#include "sys/cpu.hpp"

namespace tern::linalg {
namespace {

/// A stored matrix [n_rows, n_columns] rounded, its rows one after the other.
std::unique_ptr<std::uint16_t[]> rounded(const Operand& operand, std::int64_t n_rows, std::int64_t n_columns) {
  auto out = std::make_unique_for_overwrite<std::uint16_t[]>(static_cast<std::size_t>(n_rows * n_columns));
  for (std::int64_t r = 0; r < n_rows; ++r) {
    const float* from = operand.data + r * operand.stride;
    std::uint16_t* to = out.get() + r * n_columns;
    for (std::int64_t i = 0; i < n_columns; ++i) to[i] = fp32_to_bf16(from[i]);
  }
  return out;
}

}  // namespace

Result<Bf16Products> Bf16Products::load() {
  if (!sys::cpu_features().avx512_bf16) {
    return fail(ErrorCode::unsupported,
                "this processor has no bfloat16 instructions; train with optimizer.matmul float32");
  }
  void* library = nullptr;
  {
    const LoadEnvironment environment{{"OMP_NUM_THREADS", "1"}};
    library = ::dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) library = ::dlopen("libdnnl.so.3", RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    return fail(ErrorCode::not_found, "oneDNN is not installed, and bfloat16 products need it: apt install libdnnl2");
  }
  Bf16Products out;
  out.gemm_ = reinterpret_cast<Gemm>(::dlsym(library, "dnnl_gemm_bf16bf16f32"));
  if (out.gemm_ == nullptr) {
    return fail(ErrorCode::unsupported,
                "the oneDNN found has no bfloat16 product; train with optimizer.matmul float32");
  }
  return out;
}

void Bf16Products::multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Operand& a,
                            const Operand& b, float beta, float* c, std::int64_t c_stride) const {
  const std::int64_t a_columns = a.transposed ? m : k;
  const std::int64_t b_columns = b.transposed ? k : n;
  const auto left = rounded(a, a.transposed ? k : m, a_columns);
  const auto right = rounded(b, b.transposed ? n : k, b_columns);
  const int status = gemm_(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, alpha, left.get(), a_columns,
                           right.get(), b_columns, beta, c, c_stride);
  TERN_CHECK(status == 0);
}

}  // namespace tern::linalg
