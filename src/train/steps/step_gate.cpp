// Activation functions, alone and as gates: out = f(gate) * up. Forward by the engine's own functions.
#include "train/loops.hpp"
#include "train/steps/step.hpp"

namespace tern::train {
namespace {

struct Functions {
  kernels::GluFn forward;
  loops::GateBackward backward;
};

Functions functions_of(models::Unary unary, const kernels::KernelSet& table) {
  switch (unary) {
    case models::Unary::silu:
      return {table.silu_glu, &loops::silu_backward};
    case models::Unary::relu2:
      return {table.relu2_glu, &loops::relu2_backward};
    case models::Unary::gelu_tanh:
      return {table.gelu_glu, &loops::gelu_backward};
  }
  return {};
}

class Gate final : public TrainStep {
 public:
  /// `up` is kNone for the function alone.
  Gate(models::ValueId gate, models::ValueId up, models::ValueId out, models::Unary unary, const Shared& shared,
       Layout& layout)
      : functions_(functions_of(unary, shared.kernels.table)),
        has_up_(up != models::kNone),
        gate_(layout.value(gate)),
        out_(layout.value(out)),
        d_gate_(layout.gradient(gate)),
        d_out_(layout.gradient(out)),
        accumulates_gate_(layout.accumulates(gate)) {
    if (!has_up_) return;
    up_ = layout.value(up);
    d_up_ = layout.gradient(up);
    accumulates_up_ = layout.accumulates(up);
  }

  void forward(const Lane& lane) const override {
    functions_.forward(lane.at(gate_), has_up_ ? lane.at(up_) : nullptr, lane.n_tokens() * out_.width, lane.at(out_));
  }

  void backward(const Lane& lane) const override {
    functions_.backward(lane.at(gate_), has_up_ ? lane.at(up_) : nullptr, lane.at(d_out_), lane.n_tokens() * out_.width,
                        accumulates_gate_, accumulates_up_, lane.at(d_gate_), has_up_ ? lane.at(d_up_) : nullptr);
  }

 private:
  Functions functions_;
  bool has_up_;
  Place gate_;
  Place up_;
  Place out_;
  Place d_gate_;
  Place d_up_;
  Place d_out_;
  bool accumulates_gate_;
  bool accumulates_up_ = false;
};

}  // namespace

StepPointer make_step(const models::UnaryStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Gate>(step.in, models::kNone, step.out, step.function, shared, layout);
}

StepPointer make_step(const models::GluStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Gate>(step.gate, step.up, step.out, step.function, shared, layout);
}

}  // namespace tern::train
