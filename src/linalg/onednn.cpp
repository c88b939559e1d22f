#include "linalg/onednn.hpp"

#include <dlfcn.h>

#include <memory>

#include "base/half.hpp"
#include "linalg/load_environment.hpp"
#include "linalg/symbol.hpp"
#include "sys/cpu.hpp"

namespace tern::linalg {
namespace {

constexpr std::string_view kLibrary = "oneDNN";

/// What dnnl_version() points to begins so.
struct Version {
  int major;
  int minor;
  int patch;
};

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

Result<OneDnn> OneDnn::load(Operands operands) {
  const bool rounds = operands == Operands::bfloat16;
  if (rounds && !sys::cpu_features().avx512_bf16) {
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
    return fail(
        ErrorCode::not_found,
        "oneDNN is not installed, and optimizer.matmul {} needs it: apt install libdnnl2, or train with float32",
        rounds ? "bfloat16" : "onednn");
  }
  OneDnn out;
  if (rounds) {
    out.bf16_ = symbol<Gemm<std::uint16_t>>(library, "dnnl_gemm_bf16bf16f32");
  } else {
    out.f32_ = symbol<Gemm<float>>(library, "dnnl_sgemm");
  }
  const auto version = symbol<const Version* (*)()>(library, "dnnl_version");
  const auto isa = symbol<int (*)()>(library, "dnnl_get_effective_cpu_isa");
  if ((out.f32_ == nullptr && out.bf16_ == nullptr) || version == nullptr || isa == nullptr) {
    return fail(ErrorCode::unsupported,
                "the oneDNN found lacks functions Tern needs; train with optimizer.matmul float32");
  }
  out.kernels_ = fmt::format("{}{} {}.{}.{} (instruction set {:#x})", rounds ? "bfloat16 " : "", kLibrary,
                             version()->major, version()->minor, version()->patch, static_cast<unsigned>(isa()));
  return out;
}

bool OneDnn::is_name_of_kernels(std::string_view kernels) {
  return kernels.find(kLibrary) != std::string_view::npos;
}

void OneDnn::multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Operand& a, const Operand& b,
                      float beta, float* c, std::int64_t c_stride) const {
  const char a_order = a.transposed ? 'T' : 'N';
  const char b_order = b.transposed ? 'T' : 'N';
  if (f32_ != nullptr) {
    const int status = f32_(a_order, b_order, m, n, k, alpha, a.data, a.stride, b.data, b.stride, beta, c, c_stride);
    TERN_CHECK(status == 0);
    return;
  }
  const std::int64_t a_columns = a.transposed ? m : k;
  const std::int64_t b_columns = b.transposed ? k : n;
  const auto left = rounded(a, a.transposed ? k : m, a_columns);
  const auto right = rounded(b, b.transposed ? n : k, b_columns);
  const int status =
      bf16_(a_order, b_order, m, n, k, alpha, left.get(), a_columns, right.get(), b_columns, beta, c, c_stride);
  TERN_CHECK(status == 0);
}

}  // namespace tern::linalg
