// The rows of the embedding table. Its gradient is gathered column by column, so that pieces never meet and every sum
// runs in the order of the tokens.
#include <algorithm>

#include "train/steps/step.hpp"

namespace tern::train {
namespace {

class Embed final : public TrainStep {
 public:
  Embed(const models::EmbedStep& step, const Shared& shared, Layout& layout)
      : table_(shared.parameters->of(step.table)),
        scale_(step.scale),
        out_(layout.value(step.out)),
        d_out_(layout.gradient(step.out)) {}

  void forward(const Lane& lane) const override {
    float* out = lane.at(out_);
    for (std::int64_t t = 0; t < lane.n_tokens(); ++t) {
      const float* row = table_->master.data() + lane.tokens()[t] * out_.width;
      for (std::int64_t i = 0; i < out_.width; ++i) out[t * out_.width + i] = row[i] * scale_;
    }
  }

  void backward(const Lane& /*lane*/) const override {}

  [[nodiscard]] std::int64_t n_pieces(const Microbatch& /*batch*/) const override {
    return (out_.width + kColumns - 1) / kColumns;
  }

  void add_gradient(const Microbatch& batch, std::int64_t piece) const override {
    const std::int64_t first = piece * kColumns;
    const std::int64_t last = std::min(first + kColumns, out_.width);
    const float* d_out = batch.at(d_out_);
    for (std::int64_t s = 0; s < batch.n_sequences; ++s) {
      for (std::int64_t t = 0; t < batch.n_tokens; ++t, d_out += out_.width) {
        float* row = table_->gradient.data() + batch.tokens_of(s)[t] * out_.width;
        for (std::int64_t i = first; i < last; ++i) row[i] += d_out[i] * scale_;
      }
    }
  }

 private:
  static constexpr std::int64_t kColumns = 64;
  Parameter* table_;
  float scale_;
  Place out_;
  Place d_out_;
};

}  // namespace

StepPointer make_step(const models::EmbedStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Embed>(step, shared, layout);
}

}  // namespace tern::train
