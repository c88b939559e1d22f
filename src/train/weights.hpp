// The matrices that a training step multiplies with: the masters themselves, or what the fake quantiser makes of them,
// renewed once a step. Here too the way back: what the gradient of a quantised matrix means for its masters.
//
// Where the scale belongs to the whole matrix it stays apart: the product is then one of integers, exact in float below
// 2^24, and is scaled afterwards in the order in which the engine scales its integer sums.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sys/thread_pool.hpp"
#include "train/parameters.hpp"
#include "train/quantizers/weight_quantizer.hpp"

namespace tern::train {

/// What becomes of the gradient on its way through the rounding (arXiv 1308.3432; methods of the field differ here).
enum class StraightThrough : std::uint8_t {
  identity,  // it passes as it is
  clipped,   // it stops at weights whose magnitude is above the scale
};

struct QuantizerOptions {
  const WeightQuantizer* weights = nullptr;  // null: none
  std::int64_t group = 0;                    // values of a row that share a scale; 0: the matrix has one
  StraightThrough straight_through = StraightThrough::identity;
  int activation_bits = 0;  // of the inputs of quantised matrices, per token: 8, 4, or 0 for float
};

/// What a matrix of the blocks looks like at present, for logs.
struct WeightStatistics {
  double minus = 0.0;  // shares of the codes below, at and above zero
  double zero = 0.0;
  double plus = 0.0;
  std::int64_t flips = 0;  // codes that the last renew() changed
  float scale = 0.0F;      // of groups: their mean
};

/// One matrix of a linear step.
class Weight {
 public:
  Weight(Parameter& master, Parameter* step, const QuantizerOptions& options);

  /// The matrix to multiply with, [n_rows, k], up to the factor scale().
  [[nodiscard]] const float* values() const { return is_float_ ? master_->master.data() : values_.data(); }
  /// 1 unless the codes are kept apart from their one scale.
  [[nodiscard]] float scale() const { return is_float_ || !codes_apart_ ? 1.0F : scales_.front(); }
  [[nodiscard]] std::int64_t n_rows() const { return master_->shape.n_rows(); }
  [[nodiscard]] std::int64_t k() const { return master_->shape.row_length(); }
  [[nodiscard]] Parameter& master() const { return *master_; }

  /// Sets the learned step to where the method starts it.
  void start_step();
  /// Makes values() of the masters: w + lambda (Q(w) - w). lambda 0 is the masters, bit for bit.
  void renew(float lambda);
  /// Turns the gradient of values() * scale(), gathered in the master's gradient, into that of the masters and of the
  /// learned steps.
  void finish_gradient(float lambda);

  [[nodiscard]] WeightStatistics statistics() const;
  /// Codes that the last renew() changed.
  [[nodiscard]] std::int64_t n_flips() const { return flips_; }
  /// Codes as integers [n_rows * k] and the scales [1, or n_rows * k / group], for export; of the last renew().
  [[nodiscard]] const std::vector<std::int8_t>& codes() const { return codes_; }
  [[nodiscard]] const std::vector<float>& scales() const { return scales_; }
  [[nodiscard]] bool is_quantized() const { return options_.weights != nullptr; }

 private:
  [[nodiscard]] std::int64_t group_size() const;

  Parameter* master_;
  Parameter* step_;  // of a learned scale: [n_groups]; else null
  QuantizerOptions options_;
  bool is_float_ = true;
  bool codes_apart_ = false;
  Floats values_;
  std::vector<float> scales_;
  std::vector<std::int8_t> codes_;
  std::int64_t flips_ = 0;
  bool has_codes_ = false;  // of an earlier renew()
};

/// The weights of a plan's linear steps. Embedding and head are never quantised here.
class Weights {
 public:
  /// Adds the learned steps to `parameters`. `group` must divide the row length of every matrix: errors name the first.
  [[nodiscard]] static Result<Weights> make(const models::Plan& plan, Parameters& parameters,
                                            const QuantizerOptions& options);

  [[nodiscard]] Weight& of(models::TensorId id) { return *by_tensor_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const Weight& of(models::TensorId id) const { return *by_tensor_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const std::vector<std::unique_ptr<Weight>>& all() const { return all_; }
  [[nodiscard]] const QuantizerOptions& options() const { return options_; }
  /// How far the quantisation is faded in at present, 0 to 1.
  [[nodiscard]] float lambda() const { return lambda_; }

  /// Starts the learned steps from the masters, as the method says. Once, on new masters.
  void start_steps();
  void renew(float lambda, sys::ThreadPool& pool);
  void finish_gradients(sys::ThreadPool& pool);

 private:
  QuantizerOptions options_;
  float lambda_ = 0.0F;
  std::vector<std::unique_ptr<Weight>> all_;
  std::vector<Weight*> by_tensor_;
};

}  // namespace tern::train
