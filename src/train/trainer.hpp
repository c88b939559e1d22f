// A model in training: plan, parameters, quantised weights, network and optimiser, and the one thing that is done with
// them again and again. It knows no files, no clock and no data set; run.hpp does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "train/network.hpp"
#include "train/optimizer.hpp"

namespace tern::train {

struct TrainerOptions {
  QuantizerOptions quantizer;
  OptimizerOptions optimizer;
  Network::Size size;
  int n_threads = 1;
};

struct StepReport {
  double loss = 0.0;  // mean nats a token, before the step
  double gradient_norm = 0.0;
  std::int64_t n_flips = 0;  // codes that the step changed
};

class Trainer {
 public:
  /// All parameters are zero; the caller fills them and calls begin(). Errors: those of Weights::make, Network::make.
  [[nodiscard]] static Result<std::unique_ptr<Trainer>> make(
      models::Plan plan, const std::function<bool(const models::TensorSpec&)>& present, const TrainerOptions& options,
      const linalg::Blas& blas, const kernels::Kernels& kernels);

  /// After the masters were set: starts learned scales (unless they were set too) and makes the quantised weights.
  void begin(double lambda, bool start_learned_scales);
  /// One optimiser step over tokens [batch, n_tokens + 1]; afterwards the weights are those of `next_lambda`.
  StepReport step(std::span<const std::int32_t> tokens, double learning_rate, double weight_decay, double next_lambda);
  /// The gradients of the mean loss, without a step: for tests.
  double gradients(std::span<const std::int32_t> tokens);

  [[nodiscard]] const models::Plan& plan() const { return plan_; }
  [[nodiscard]] Parameters& parameters() { return parameters_; }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }
  [[nodiscard]] Weights& weights() { return *weights_; }
  [[nodiscard]] const Weights& weights() const { return *weights_; }
  [[nodiscard]] Network& network() { return *network_; }
  [[nodiscard]] Optimizer& optimizer() { return *optimizer_; }
  [[nodiscard]] sys::ThreadPool& pool() { return pool_; }

 private:
  Trainer(models::Plan plan, const std::function<bool(const models::TensorSpec&)>& present, int n_threads)
      : plan_(std::move(plan)),
        pool_(std::min(n_threads, linalg::Blas::kMostThreads), sys::Denormals::zero),
        parameters_(plan_, present) {}

  models::Plan plan_;
  // Saturated softmaxes and gradients that vanish are full of denormal numbers: with a learning rate too large, a step
  // took 7.9 s that takes 0.48 s without them (4 layers of 256, one thread, 2026-11).
  sys::ThreadPool pool_;
  Parameters parameters_;
  std::optional<Weights> weights_;
  std::unique_ptr<Network> network_;
  std::optional<Optimizer> optimizer_;
};

}  // namespace tern::train
