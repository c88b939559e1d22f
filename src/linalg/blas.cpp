#include "linalg/blas.hpp"

#include <dlfcn.h>

#include <array>
#include <mutex>

#include "linalg/load_environment.hpp"
#include "linalg/symbol.hpp"
#include "sys/cpu.hpp"

namespace tern::linalg {
namespace {

// Of the C interface to BLAS.
constexpr int kRowMajor = 101;
constexpr int kAsIs = 111;
constexpr int kTransposed = 112;

// Where Debian puts the flavour that may be called from several threads, then whatever the loader finds.
#ifdef TERN_LIBRARY_ARCHITECTURE
constexpr std::array<const char*, 2> kPlaces{"/usr/lib/" TERN_LIBRARY_ARCHITECTURE "/openblas-pthread/libopenblas.so.0",
                                             "libopenblas.so.0"};
#else
constexpr std::array<const char*, 1> kPlaces{"libopenblas.so.0"};
#endif

// OpenBLAS's names; "" leaves the choice to it.
const char* kernels_for(const sys::CpuFeatures& cpu) {
  if (cpu.avx512f && cpu.avx512bw && cpu.avx512vl) return "SkylakeX";
  if (cpu.avx2 && cpu.fma) return "Haswell";
  return "";
}

}  // namespace

Result<Blas> Blas::load(Matmul matmul, std::string_view kernels_before) {
  static std::mutex mutex;  // the environment is the process's
  const std::lock_guard lock(mutex);
  if (matmul == Matmul::openblas) return load_openblas();
  if (matmul == Matmul::onednn) return load_onednn(OneDnn::Operands::float32);
  if (matmul == Matmul::bfloat16) return load_onednn(OneDnn::Operands::bfloat16);
  const bool began_with_openblas = !kernels_before.empty() && !OneDnn::is_name_of_kernels(kernels_before);
  auto blas = began_with_openblas ? load_openblas() : load_onednn(OneDnn::Operands::float32);
  if (blas) return blas;
  auto other = began_with_openblas ? load_onednn(OneDnn::Operands::float32) : load_openblas();
  if (other || other.error().code != ErrorCode::not_found) return other;
  if (blas.error().code != ErrorCode::not_found) return blas;
  return fail(
      ErrorCode::not_found,
      "training needs oneDNN or OpenBLAS, and neither is installed: apt install libdnnl2, or libopenblas0-pthread");
}

Result<Blas> Blas::load_onednn(OneDnn::Operands operands) {
  Blas blas;
  TERN_TRY(blas.onednn_, OneDnn::load(operands));
  blas.kernels_ = blas.onednn_->kernels();
  return blas;
}

Result<Blas> Blas::load_openblas() {
  void* library = nullptr;
  {
    const LoadEnvironment environment{{"OPENBLAS_CORETYPE", kernels_for(sys::cpu_features())},
                                      {"OPENBLAS_NUM_THREADS", "1"}};
    for (const char* place : kPlaces) {
      if (library == nullptr) library = ::dlopen(place, RTLD_NOW | RTLD_LOCAL);
    }
  }
  if (library == nullptr) {
    return fail(ErrorCode::not_found,
                "OpenBLAS is not installed, and optimizer.matmul openblas needs it: apt install libopenblas0-pthread");
  }
  const auto parallel = symbol<int (*)()>(library, "openblas_get_parallel");
  const auto set_threads = symbol<void (*)(int)>(library, "openblas_set_num_threads");
  const auto core_name = symbol<char* (*)()>(library, "openblas_get_corename");
  Blas blas;
  blas.sgemm_ = symbol<Sgemm>(library, "cblas_sgemm");
  if (parallel == nullptr || set_threads == nullptr || core_name == nullptr || blas.sgemm_ == nullptr) {
    return fail(ErrorCode::unsupported,
                "the OpenBLAS found lacks functions Tern needs: apt install libopenblas0-pthread");
  }
  if (parallel() == 0) {
    return fail(ErrorCode::unsupported,
                "the OpenBLAS found is the one without threads, which is wrong when two threads call it: apt install "
                "libopenblas0-pthread");
  }
  set_threads(1);
  blas.kernels_ = core_name();
  return blas;
}

void Blas::multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, Operand a, Operand b, float beta,
                    float* c, std::int64_t c_stride) const {
  if (onednn_) return onednn_->multiply(m, n, k, alpha, a, b, beta, c, c_stride);
  sgemm_(kRowMajor, a.transposed ? kTransposed : kAsIs, b.transposed ? kTransposed : kAsIs, static_cast<int>(m),
         static_cast<int>(n), static_cast<int>(k), alpha, a.data, static_cast<int>(a.stride), b.data,
         static_cast<int>(b.stride), beta, c, static_cast<int>(c_stride));
}

}  // namespace tern::linalg
