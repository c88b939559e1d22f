// The float master weights of a model in training, with what the optimiser keeps beside each: gradient and two moments.
// Which tensors there are comes from the plan; tied tensors are one parameter. Not the quantised weights that a step
// computes with: those are made of the masters anew each time (train/weights.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/plan.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::train {

/// A buffer of floats on a cache line.
class Floats {
 public:
  Floats() = default;
  explicit Floats(std::int64_t n) : n_(n), bytes_(static_cast<std::size_t>(n) * sizeof(float)) {}
  [[nodiscard]] float* data() { return bytes_.as<float>(); }
  [[nodiscard]] const float* data() const { return bytes_.as<float>(); }
  [[nodiscard]] std::int64_t size() const { return n_; }
  [[nodiscard]] std::span<float> span() { return {data(), static_cast<std::size_t>(n_)}; }
  [[nodiscard]] std::span<const float> span() const { return {data(), static_cast<std::size_t>(n_)}; }

 private:
  std::int64_t n_ = 0;
  AlignedBuffer bytes_;
};

struct Parameter {
  std::string name;  // as in GGUF; the learned steps of blk.0.attn_q.weight are blk.0.attn_q.step
  Shape shape;
  models::TensorRole role = models::TensorRole::linear;
  bool decays = false;  // weight decay is for matrices
  Floats master;
  Floats gradient;
  Floats moment;         // Adam's mean of the gradient
  Floats second_moment;  // and of its square
  Parameter(std::string n, Shape s, models::TensorRole r);
};

class Parameters {
 public:
  /// All tensors of the plan that `present` admits, zero; the others are absent. A tensor with a fallback that is
  /// absent shares its parameter.
  Parameters(const models::Plan& plan, const std::function<bool(const models::TensorSpec&)>& present);

  /// Null where the tensor is absent.
  [[nodiscard]] Parameter* of(models::TensorId id);
  [[nodiscard]] const Parameter* of(models::TensorId id) const;
  [[nodiscard]] Parameter* find(std::string_view name);
  [[nodiscard]] const Parameter* find(std::string_view name) const;
  /// Adds a parameter that is no tensor of the plan. Pointers given out before stay good.
  Parameter& add(std::string name, Shape shape, models::TensorRole role);

  [[nodiscard]] const std::vector<std::unique_ptr<Parameter>>& all() { return all_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Parameter>>& all() const { return all_; }
  [[nodiscard]] std::int64_t n_values() const;
  void clear_gradients();

 private:
  std::vector<std::unique_ptr<Parameter>> all_;
  std::vector<Parameter*> by_tensor_;  // by TensorId
};

/// Tensors that a model trained from scratch has: those the plan requires, and a head of its own unless it is tied.
[[nodiscard]] std::function<bool(const models::TensorSpec&)> usual_tensors(bool tied_head);

/// Standard deviations of the first weights.
struct FirstWeights {
  float matrices = 0.02F;
  float embedding = 0.02F;
};
/// As Hugging Face's models start: matrices and embedding normal, gains 1, biases 0. The numbers depend on the seed and
/// the tensor's name alone.
void initialise(Parameters& parameters, std::uint64_t seed, const FirstWeights& deviations);

}  // namespace tern::train
