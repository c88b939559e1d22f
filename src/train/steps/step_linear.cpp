// y = x W^T + b, with W and x as they are or fake-quantised (arXiv 2402.17764). Rounded inputs are kept as integer
// codes with a scale a token where the weights' codes have one scale: sums of integers are exact in float, and are
// scaled afterwards in the engine's order. Backward uses the rounded operands, the straight-through rule.
#include <algorithm>
#include <vector>

#include "ops/round_token.hpp"
#include "train/loops.hpp"
#include "train/steps/step.hpp"
#include "train/steps/tiles.hpp"

namespace tern::train {
namespace {

class Linear final : public TrainStep {
 public:
  Linear(const models::LinearStep& step, const Shared& shared, Layout& layout)
      : shared_(shared),
        weight_(shared.weights->of(step.weight)),
        bias_(shared.parameters->of(step.bias)),
        bits_(shared.weights->options().activation_bits),
        in_(layout.value(step.in)),
        out_(layout.value(step.out)),
        d_in_(layout.gradient(step.in)),
        d_out_(layout.gradient(step.out)),
        accumulates_(layout.accumulates(step.in)),
        d_bias_(layout.partial(bias_ == nullptr ? 0 : out_.width)) {
    if (bits_ == 0) return;
    rounded_ = layout.rounded(step.in);
    layout.want_temporary((in_.width + 3) / 4);  // int8 codes of a token
  }

  void forward(const Lane& lane) const override {
    if (bits_ != 0 && rounded_.is_mine) round_input(lane);
    const std::int64_t n_tokens = lane.n_tokens();
    float* out = lane.at(out_);
    shared_.blas.multiply(n_tokens, out_.width, in_.width, 1.0F, {input(lane), in_.width},
                          {weight_.values(), in_.width, true}, 0.0F, out, out_.width);
    const float* token_scales = scales(lane);
    const float weight_scale = weight_.scale();
    for (std::int64_t t = 0; t < n_tokens; ++t) {
      float* row = out + t * out_.width;
      if (token_scales != nullptr) {
        loops::scale_sums(token_scales[t], weight_scale, out_.width, row);
      } else if (weight_scale != 1.0F) {
        loops::scale(weight_scale, out_.width, row);
      }
      if (bias_ != nullptr) loops::add(bias_->master.data(), out_.width, row);
    }
  }

  void backward(const Lane& lane) const override {
    const std::int64_t n_tokens = lane.n_tokens();
    float* d_out = lane.at(d_out_);
    shared_.blas.multiply(n_tokens, in_.width, out_.width, weight_.scale(), {d_out, out_.width},
                          {weight_.values(), in_.width}, accumulates_ ? 1.0F : 0.0F, lane.at(d_in_), in_.width);
    const float* token_scales = scales(lane);
    float* d_bias = bias_ == nullptr ? nullptr : lane.at(d_bias_);
    for (std::int64_t t = 0; t < n_tokens; ++t) {
      float* row = d_out + t * out_.width;
      if (d_bias != nullptr) loops::add(row, out_.width, d_bias);
      // From here on the gradient is only multiplied with this token's codes.
      if (token_scales != nullptr) loops::scale(1.0F / token_scales[t], out_.width, row);
    }
  }

  // Whole sums over the tokens in one product each: no thread count can change their order.
  [[nodiscard]] std::int64_t n_pieces(const Microbatch& /*batch*/) const override {
    return (out_.width + kGradientRows - 1) / kGradientRows;
  }

  void add_gradient(const Microbatch& batch, std::int64_t piece) const override {
    const std::int64_t first = piece * kGradientRows;
    const std::int64_t n_rows = std::min(kGradientRows, out_.width - first);
    const float* input = batch.at(bits_ == 0 ? in_ : rounded_.codes);
    shared_.blas.multiply(n_rows, in_.width, batch.all_tokens(), 1.0F, {batch.at(d_out_) + first, out_.width, true},
                          {input, in_.width}, 1.0F, weight_.master().gradient.data() + first * in_.width, in_.width);
    if (piece != 0 || bias_ == nullptr) return;
    for (std::int64_t s = 0; s < batch.n_sequences; ++s) {
      loops::add(batch.at(d_bias_) + s * out_.width, out_.width, bias_->gradient.data());
    }
  }

 private:
  [[nodiscard]] const float* input(const Lane& lane) const { return lane.at(bits_ == 0 ? in_ : rounded_.codes); }

  // Of the codes that input() holds; null where it holds values.
  [[nodiscard]] const float* scales(const Lane& lane) const {
    return bits_ != 0 && keeps_codes() ? lane.at(rounded_.scales) : nullptr;
  }

  [[nodiscard]] bool keeps_codes() const {
    return shared_.weights->lambda() == 1.0F && shared_.weights->options().group == 0;
  }

  void round_input(const Lane& lane) const {
    const float lambda = shared_.weights->lambda();
    const float* in = lane.at(in_);
    float* codes = lane.at(rounded_.codes);
    float* token_scales = lane.at(rounded_.scales);
    auto* bytes = reinterpret_cast<std::int8_t*>(lane.temporary);
    for (std::int64_t t = 0; t < lane.n_tokens(); ++t, in += in_.width, codes += in_.width) {
      if (lambda == 0.0F) {
        std::copy_n(in, in_.width, codes);
        continue;
      }
      std::int32_t sum = 0;
      const float scale = ops::round_token(shared_.kernels, bits_, in, in_.width, bytes, &sum);
      loops::to_floats(bytes, in_.width, codes);
      token_scales[t] = scale;
      if (keeps_codes()) continue;
      loops::divide(codes, scale, in_.width, codes);
      if (lambda == 1.0F) continue;
      for (std::int64_t i = 0; i < in_.width; ++i) codes[i] = in[i] + lambda * (codes[i] - in[i]);
    }
  }

  const Shared& shared_;
  Weight& weight_;
  Parameter* bias_;
  int bits_;
  Place in_;
  Place out_;
  Place d_in_;
  Place d_out_;
  bool accumulates_;
  PartialSum d_bias_;
  Layout::Rounded rounded_;
};

}  // namespace

StepPointer make_step(const models::LinearStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Linear>(step, shared, layout);
}

}  // namespace tern::train
