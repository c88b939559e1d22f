// Sums and factors: residual streams. The gradient of a sum goes to both sides; where the layout lets one of them live
// in the sum's own buffer, nothing is copied.
#include <algorithm>

#include "train/loops.hpp"
#include "train/steps/step.hpp"

namespace tern::train {
namespace {

/// d_in (+)= d_out * factor, over a lane.
void pass_back(const Lane& lane, const Place& d_out, float factor, bool accumulates, const Place& d_in) {
  if (!accumulates && d_in == d_out && factor == 1.0F) return;
  const std::int64_t n = lane.n_tokens() * d_out.width;
  const float* from = lane.at(d_out);
  float* to = lane.at(d_in);
  if (accumulates) {
    loops::add_scaled(from, factor, n, to);
  } else {
    std::transform(from, from + n, to, [factor](float d) { return d * factor; });
  }
}

class Add final : public TrainStep {
 public:
  Add(const models::AddStep& step, Layout& layout)
      : a_(layout.value(step.a)),
        b_(layout.value(step.b)),
        out_(layout.value(step.out)),
        d_a_(layout.gradient(step.a)),
        d_b_(layout.gradient(step.b)),
        d_out_(layout.gradient(step.out)),
        accumulates_a_(layout.accumulates(step.a)),
        accumulates_b_(layout.accumulates(step.b) || step.a == step.b) {}

  void forward(const Lane& lane) const override {
    const float* a = lane.at(a_);
    const float* b = lane.at(b_);
    float* out = lane.at(out_);
    const std::int64_t n = lane.n_tokens() * out_.width;
    for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
  }

  void backward(const Lane& lane) const override {
    pass_back(lane, d_out_, 1.0F, accumulates_a_, d_a_);
    pass_back(lane, d_out_, 1.0F, accumulates_b_, d_b_);
  }

 private:
  Place a_;
  Place b_;
  Place out_;
  Place d_a_;
  Place d_b_;
  Place d_out_;
  bool accumulates_a_;
  bool accumulates_b_;
};

class Scale final : public TrainStep {
 public:
  Scale(const models::ScaleStep& step, Layout& layout)
      : factor_(step.factor),
        in_(layout.value(step.in)),
        out_(layout.value(step.out)),
        d_in_(layout.gradient(step.in)),
        d_out_(layout.gradient(step.out)),
        accumulates_(layout.accumulates(step.in)) {}

  void forward(const Lane& lane) const override {
    const float* in = lane.at(in_);
    float* out = lane.at(out_);
    const std::int64_t n = lane.n_tokens() * out_.width;
    for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] * factor_;
  }

  void backward(const Lane& lane) const override { pass_back(lane, d_out_, factor_, accumulates_, d_in_); }

 private:
  float factor_;
  Place in_;
  Place out_;
  Place d_in_;
  Place d_out_;
  bool accumulates_;
};

}  // namespace

StepPointer make_step(const models::AddStep& step, const Shared& /*shared*/, Layout& layout) {
  return std::make_unique<Add>(step, layout);
}

StepPointer make_step(const models::ScaleStep& step, const Shared& /*shared*/, Layout& layout) {
  return std::make_unique<Scale>(step, layout);
}

}  // namespace tern::train
