// A plan made ready to train: its steps with their forward and backward passes, the memory they work in, and the order
// in which threads take part. Gradients are added to those of the parameters; nothing here changes a weight.
//
// The bits of every result are the same for any number of threads: a sequence is worked out by one thread, each piece
// of a weight's gradient by one product over all tokens of the microbatch, and microbatches follow one another.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "train/steps/head.hpp"
#include "train/steps/plan_layout.hpp"

namespace tern::train {

class Network {
 public:
  struct Size {
    std::int64_t n_tokens = 0;     // of a sequence
    std::int64_t n_sequences = 0;  // of a microbatch
  };

  /// All of the arguments must outlive the network, and `weights` be renewed before anything runs. Errors: unsupported
  /// for a plan that ends in pooling; out_of_memory with what is needed.
  [[nodiscard]] static Result<std::unique_ptr<Network>> make(const models::Plan& plan, Parameters& parameters,
                                                             Weights& weights, const linalg::Blas& blas,
                                                             const kernels::Kernels& kernels, Size size,
                                                             sys::ThreadPool& pool);
  ~Network();

  /// Once the masters are set, before anything runs.
  void begin();
  /// tokens [n, n_tokens + 1] of n sequences, any number. Adds the gradients of factor * (sum of the losses); returns
  /// that sum of losses in nats, added in the order of the tokens.
  double forward_backward(std::span<const std::int32_t> tokens, float factor);
  /// Losses in nats of every predicted token: [n * n_tokens].
  [[nodiscard]] std::vector<float> losses(std::span<const std::int32_t> tokens);
  /// Logits [n * n_tokens, n_vocab].
  [[nodiscard]] std::vector<float> logits(std::span<const std::int32_t> tokens);

  [[nodiscard]] Size size() const { return size_; }
  /// Multiply-adds of matrices and attention in one forward_backward() of a token, times two: for shares of peak.
  [[nodiscard]] double flops_per_token() const { return flops_per_token_; }

 private:
  class ScratchPool;
  Network(const models::Plan& plan, Shared shared, Size size, sys::ThreadPool& pool);
  [[nodiscard]] Microbatch microbatch(std::span<const std::int32_t> tokens);
  void forward(const Microbatch& batch);
  void backward(const Microbatch& batch);
  void add_gradients(const Microbatch& batch);
  /// Calls f(microbatch, losses of its tokens).
  template <class F>
  void each_microbatch(std::span<const std::int32_t> tokens, F f);

  Shared shared_;
  Size size_;
  sys::ThreadPool& pool_;
  PlanLayout layout_;
  std::vector<StepPointer> steps_;
  std::unique_ptr<Head> head_;
  Floats saved_;
  Floats partials_;
  std::unique_ptr<ScratchPool> scratch_;
  std::vector<float> losses_;
  double flops_per_token_ = 0.0;
};

}  // namespace tern::train
