// RMS norm and layer norm, of whole vectors or of each head. Forward by the engine's own functions.
#include "ops/norm.hpp"
#include "train/loops.hpp"
#include "train/steps/step.hpp"

namespace tern::train {
namespace {

class Norm final : public TrainStep {
 public:
  Norm(const models::NormStep& step, const Shared& shared, Layout& layout)
      : rms_(step.kind == models::NormStep::Kind::rms),
        eps_(step.eps),
        rms_norm_(shared.kernels.table.rms_norm),
        gain_(shared.parameters->of(step.weight)),
        bias_(shared.parameters->of(step.bias)),
        in_(layout.value(step.in)),
        out_(layout.value(step.out)),
        d_in_(layout.gradient(step.in)),
        d_out_(layout.gradient(step.out)),
        accumulates_(layout.accumulates(step.in)),
        group_(step.group_width == 0 ? in_.width : step.group_width),
        d_gain_(layout.partial(group_)),
        d_bias_(layout.partial(bias_ == nullptr ? 0 : group_)) {}

  void forward(const Lane& lane) const override {
    const float* in = lane.at(in_);
    float* out = lane.at(out_);
    const float* bias = bias_ == nullptr ? nullptr : bias_->master.data();
    for (std::int64_t i = 0; i < lane.n_tokens() * in_.width; i += group_) {
      if (rms_) {
        rms_norm_(in + i, gain_->master.data(), group_, eps_, out + i);
      } else {
        ops::layer_norm(in + i, gain_->master.data(), bias, group_, eps_, out + i);
      }
    }
  }

  void backward(const Lane& lane) const override {
    const float* in = lane.at(in_);
    const float* d_out = lane.at(d_out_);
    float* d_in = lane.at(d_in_);
    float* d_gain = lane.at(d_gain_);
    float* d_bias = bias_ == nullptr ? nullptr : lane.at(d_bias_);
    const float* gain = gain_->master.data();
    for (std::int64_t i = 0; i < lane.n_tokens() * in_.width; i += group_) {
      if (rms_) {
        loops::rms_norm_backward(in + i, gain, d_out + i, group_, eps_, accumulates_, d_in + i, d_gain);
      } else {
        loops::layer_norm_backward(in + i, gain, d_out + i, group_, eps_, accumulates_, d_in + i, d_gain, d_bias);
      }
    }
  }

  [[nodiscard]] std::int64_t n_pieces(const Microbatch& /*batch*/) const override { return 1; }

  void add_gradient(const Microbatch& batch, std::int64_t /*piece*/) const override {
    for (std::int64_t s = 0; s < batch.n_sequences; ++s) {
      loops::add(batch.at(d_gain_) + s * group_, group_, gain_->gradient.data());
      if (bias_ != nullptr) loops::add(batch.at(d_bias_) + s * group_, group_, bias_->gradient.data());
    }
  }

 private:
  bool rms_;
  float eps_;
  kernels::RmsNormFn rms_norm_;
  Parameter* gain_;
  Parameter* bias_;
  Place in_;
  Place out_;
  Place d_in_;
  Place d_out_;
  bool accumulates_;
  std::int64_t group_;
  PartialSum d_gain_;
  PartialSum d_bias_;
};

}  // namespace

StepPointer make_step(const models::NormStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Norm>(step, shared, layout);
}

}  // namespace tern::train
