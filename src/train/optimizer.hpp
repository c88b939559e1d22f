// AdamW (arXiv 1711.05101) over all parameters, with the global norm of the gradient clipped before. The sums behind
// the norm run over fixed pieces in a fixed order, so that the number of threads changes no bit.
#pragma once

#include <cstdint>

#include "sys/thread_pool.hpp"
#include "train/parameters.hpp"

namespace tern::train {

struct OptimizerOptions {
  float beta1 = 0.9F;
  float beta2 = 0.95F;
  float epsilon = 1e-8F;
  double clip = 1.0;  // of the global norm; 0: never
};

class Optimizer {
 public:
  Optimizer(Parameters& parameters, const OptimizerOptions& options, sys::ThreadPool& pool)
      : parameters_(parameters), options_(options), pool_(pool) {}

  /// Root of the sum of the squares of all gradients.
  [[nodiscard]] double gradient_norm() const;
  /// One step with the gradients as they are; `norm` is gradient_norm().
  void step(double learning_rate, double weight_decay, double norm);

  /// Steps done: the corrections of the moments follow from it.
  [[nodiscard]] std::int64_t n_steps() const { return n_steps_; }
  void set_steps(std::int64_t n) { n_steps_ = n; }

 private:
  Parameters& parameters_;
  OptimizerOptions options_;
  sys::ThreadPool& pool_;
  std::int64_t n_steps_ = 0;
};

}  // namespace tern::train
