// Float matrix products for training: oneDNN or OpenBLAS, loaded when first wanted and set to one thread; the caller's
// pool divides the work into tiles of fixed size, so that the number of threads changes no bit. Never on the inference
// path.
//
// They are loaded, and not linked, for two reasons. Linked, every `tern run` would map their 30 MB and start their
// threads. And OpenBLAS looks at the processor while it is being loaded: a processor younger than the library gets its
// oldest kernels (measured, OpenBLAS 0.3.21 on an Emerald Rapids Xeon: 32 GFLOP/s a core instead of 145), unless the
// name of a kernel set stands in the environment by then. So the name is put there, by what the processor can do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "linalg/onednn.hpp"
#include "linalg/operand.hpp"

namespace tern::linalg {

/// Who multiplies, and what operands are rounded to before; sums are float32 always.
enum class Matmul : std::uint8_t {
  float32,   // oneDNN where it is installed, else OpenBLAS
  openblas,  // OpenBLAS, in float32
  onednn,    // oneDNN, in float32
  bfloat16,  // oneDNN, operands rounded
};

/// A loaded library: a value, cheap to copy; the library stays loaded until the process ends.
class Blas {
 public:
  /// `kernels_before`: the kernels() that began what is to go on; float32 then means the same library, if it is there.
  /// Errors: not_found where the library is not installed (with the package's name); unsupported for OpenBLAS in the
  /// flavour without locks, which gives wrong results when two threads multiply at once.
  [[nodiscard]] static Result<Blas> load(Matmul matmul = Matmul::float32, std::string_view kernels_before = {});

  /// C[m, n] = alpha * A[m, k] B[k, n] + beta * C, on the calling thread. beta = 0 overwrites, whatever C held.
  /// Up to kMostThreads threads may call at once (the library is built for so many). Same arguments, same kernels():
  /// same bits. Handlers of signals that such a thread may get must run on an alternate stack (SA_ONSTACK), as
  /// sys::watch_interrupts has it: oneDNN before 3.12 lets the stack pointer point into the heap while it multiplies.
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, Operand a, Operand b, float beta, float* c,
                std::int64_t c_stride) const;

  /// The library's name for the kernels that it chose ("SkylakeX"): other kernels add in another order.
  [[nodiscard]] const std::string& kernels() const { return kernels_; }

  static constexpr int kMostThreads = 64;

 private:
  using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                         const float* b, int ldb, float beta, float* c, int ldc);
  Blas() = default;
  [[nodiscard]] static Result<Blas> load_openblas();
  [[nodiscard]] static Result<Blas> load_onednn(OneDnn::Operands operands);
  Sgemm sgemm_ = nullptr;
  std::string kernels_;
  std::optional<OneDnn> onednn_;  // multiplies where it is there
};

}  // namespace tern::linalg
