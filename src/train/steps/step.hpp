// A step of the plan as the trainer runs it. Each kind has a file of its own (train/steps/step_<kind>.cpp, alike ones
// together) with its forward and its backward pass; a new kind is such a file and a line at the end of this one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.hpp"
#include "linalg/blas.hpp"
#include "models/plan.hpp"
#include "ops/rope.hpp"
#include "train/steps/lane.hpp"
#include "train/weights.hpp"

namespace tern::train {

/// What all steps of a network share.
struct Shared {
  linalg::Blas blas;
  kernels::Kernels kernels;
  Parameters* parameters = nullptr;
  Weights* weights = nullptr;
  std::int64_t n_tokens = 0;  // of a sequence
};

class TrainStep {
 public:
  TrainStep() = default;
  TrainStep(const TrainStep&) = delete;
  TrainStep& operator=(const TrainStep&) = delete;
  virtual ~TrainStep() = default;

  /// Once the masters are set: what follows from parameters that are not trained.
  virtual void begin() {}
  virtual void forward(const Lane& lane) const = 0;
  /// Reads the gradient of the step's output and adds to (or begins) the gradients of its inputs.
  virtual void backward(const Lane& lane) const = 0;
  /// Gradients of parameters, once all lanes of the microbatch have gone back: independent pieces, each adding to a
  /// part of a gradient that no other piece touches.
  [[nodiscard]] virtual std::int64_t n_pieces(const Microbatch& /*batch*/) const { return 0; }
  virtual void add_gradient(const Microbatch& /*batch*/, std::int64_t /*piece*/) const {}
};

/// Where values and gradients live; asked by each step while it is made, in the order of the plan.
class Layout {
 public:
  virtual ~Layout() = default;
  [[nodiscard]] virtual Place value(models::ValueId id) const = 0;
  [[nodiscard]] virtual Place gradient(models::ValueId id) const = 0;
  /// Whether the step in hand finds something in the gradient of its input already (another step read it too).
  [[nodiscard]] virtual bool accumulates(models::ValueId id) const = 0;
  [[nodiscard]] virtual PartialSum partial(std::int64_t width) = 0;
  /// The step wants so many floats of Lane::temporary.
  virtual void want_temporary(std::int64_t n_floats) = 0;
  /// The rounded form of a value that several linear steps read: made by the first that asks.
  struct Rounded {
    Place codes;
    Place scales;  // width 1
    bool is_mine = false;
  };
  [[nodiscard]] virtual Rounded rounded(models::ValueId id) = 0;
};

using StepPointer = std::unique_ptr<TrainStep>;
[[nodiscard]] StepPointer make_step(const models::EmbedStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::NormStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::LinearStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::RopeStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::AttentionStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::UnaryStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::GluStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::AddStep& step, const Shared& shared, Layout& layout);
[[nodiscard]] StepPointer make_step(const models::ScaleStep& step, const Shared& shared, Layout& layout);

}  // namespace tern::train
