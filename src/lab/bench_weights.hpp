// Random weights in a format, in several copies: what `tern bench --matmul` multiplies with. Their values do not
// matter for the speed, so a few rows are encoded and repeated.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ops/matrix.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::lab {

class RandomWeights {
 public:
  /// n_rows x k (positive, their product below 2^62), n_copies >= 1, bound to the kernels, which must outlive this.
  /// Errors: usage when rows of k values do not fit the format; out_of_memory.
  [[nodiscard]] static Result<RandomWeights> make(const formats::Format& format, std::int64_t n_rows, std::int64_t k,
                                                  int n_copies, const kernels::Kernels& kernels);

  [[nodiscard]] const ops::Matrix& copy(std::size_t i) const { return *copies_[i]; }
  [[nodiscard]] std::size_t n_copies() const { return copies_.size(); }
  /// Bytes of everything that is held: at least n_copies() times what a product reads.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  std::vector<std::unique_ptr<AlignedBuffer>> bytes_;  // of the file's layout; one where matrices pack their own
  std::vector<std::unique_ptr<ops::Matrix>> copies_;
};

}  // namespace tern::lab
