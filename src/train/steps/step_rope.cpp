// Rotary positions. The way back turns by the opposite angles; frequencies and their divisors are not trained.
#include <numeric>

#include "models/rope_scaling.hpp"
#include "train/loops.hpp"
#include "train/steps/step.hpp"

namespace tern::train {
namespace {

ops::RopeKind kind_of(const models::RopeStep& step, const Shared& shared) {
  models::RopeFrequencies frequencies = models::rope_frequencies(step);
  if (const Parameter* factors = shared.parameters->of(step.factors)) {
    for (std::size_t i = 0; i < frequencies.inverse.size(); ++i) frequencies.inverse[i] /= factors->master.data()[i];
  }
  return {step.n_rotary, step.pairing == models::RopeStep::Pairing::half_split, std::move(frequencies.inverse),
          frequencies.magnitude};
}

class Rope final : public TrainStep {
 public:
  Rope(const models::RopeStep& step, const Shared& shared, Layout& layout)
      : shared_(shared),
        step_(step),
        n_heads_(step.n_heads),
        head_dim_(step.head_dim),
        in_(layout.value(step.in)),
        out_(layout.value(step.out)),
        d_in_(layout.gradient(step.in)),
        d_out_(layout.gradient(step.out)),
        accumulates_(layout.accumulates(step.in)) {
    layout.want_temporary(in_.width);
  }

  void begin() override {
    kind_ = kind_of(step_, shared_);
    std::vector<std::int32_t> positions(static_cast<std::size_t>(shared_.n_tokens));
    std::iota(positions.begin(), positions.end(), 0);
    forth_.compute(kind_, positions);
    back_ = forth_;
    for (float& sine : back_.sine) sine = -sine;
  }

  void forward(const Lane& lane) const override {
    for (std::int64_t t = 0; t < lane.n_tokens(); ++t) {
      turn(forth_, t, lane.at(in_) + t * in_.width, lane.at(out_) + t * in_.width);
    }
  }

  void backward(const Lane& lane) const override {
    for (std::int64_t t = 0; t < lane.n_tokens(); ++t) {
      const float* d_out = lane.at(d_out_) + t * in_.width;
      float* d_in = lane.at(d_in_) + t * in_.width;
      turn(back_, t, d_out, accumulates_ ? lane.temporary : d_in);
      if (accumulates_) loops::add(lane.temporary, in_.width, d_in);
    }
  }

 private:
  void turn(const ops::RopeTable& table, std::int64_t position, const float* in, float* out) const {
    const auto half = static_cast<std::int64_t>(kind_.inverse_frequency.size());
    ops::rotate(kind_, table.cosine.data() + position * half, table.sine.data() + position * half, in, n_heads_,
                head_dim_, out);
  }

  const Shared& shared_;
  models::RopeStep step_;
  ops::RopeKind kind_;
  ops::RopeTable forth_;
  ops::RopeTable back_;
  std::int64_t n_heads_;
  std::int64_t head_dim_;
  Place in_;
  Place out_;
  Place d_in_;
  Place d_out_;
  bool accumulates_;
};

}  // namespace

StepPointer make_step(const models::RopeStep& step, const Shared& shared, Layout& layout) {
  return std::make_unique<Rope>(step, shared, layout);
}

}  // namespace tern::train
