// Writes a plan line by line: each call appends one step and returns the value it makes, so an architecture file reads
// like the equations of its paper.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "models/plan.hpp"

namespace tern::models {

class PlanBuilder {
 public:
  /// Names of values and tensors made from now on get this prefix: "blk.3.".
  void scope(std::string prefix) { prefix_ = std::move(prefix); }

  /// Declares a tensor (once a name) and returns its id. The scope's prefix is put in front.
  TensorId tensor(std::string_view name, Shape shape, TensorRole role, bool optional = false,
                  TensorId fallback = kNone);

  ValueId embed(std::string_view name, TensorId table, float scale = 1.0F);
  ValueId rms_norm(std::string_view name, ValueId in, TensorId weight, float eps, std::int64_t group_width = 0);
  /// Any other norm: `step.out` is filled in.
  ValueId norm(std::string_view name, NormStep step);
  ValueId linear(std::string_view name, ValueId in, TensorId weight, const ActivationPolicy& activation,
                 TensorId bias = kNone, TensorId output_scale = kNone);
  ValueId rope(std::string_view name, RopeStep step);
  ValueId attention(std::string_view name, AttentionStep step);
  ValueId unary(std::string_view name, ValueId in, Unary function);
  ValueId glu(std::string_view name, ValueId gate, ValueId up, Unary function);
  ValueId add(std::string_view name, ValueId a, ValueId b);
  ValueId scale(std::string_view name, ValueId in, float factor);
  void pool(ValueId in, Pooling kind);
  ValueId head(std::string_view name, ValueId in, TensorId weight, float soft_cap = 0.0F);

  [[nodiscard]] Plan take() { return std::move(plan_); }
  [[nodiscard]] std::int64_t width(ValueId id) const { return plan_.value(id).width; }

 private:
  ValueId value(std::string_view name, std::int64_t width);

  Plan plan_;
  std::string prefix_;
  std::unordered_map<std::string, TensorId> ids_;  // of plan_.tensors: a file may ask for thousands of layers
};

}  // namespace tern::models
