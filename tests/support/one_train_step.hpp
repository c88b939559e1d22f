// The last step of a plan, run by hand forward and backward in memory of its own: every value and every gradient has a
// place that nothing shares, and whatever the step did not write is NaN. So a step kind can be held against vectors
// without a network around it. Two sequences, so that lanes and sums over them take part: the same values in both, and
// in the second half of the first one's gradients.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "kernels/kernels.hpp"
#include "sys/thread_pool.hpp"
#include "train/steps/head.hpp"
#include "train/steps/step.hpp"

namespace tern::test {

class OneTrainStep final : public train::Layout {
 public:
  static constexpr std::int64_t kSequences = 2;
  /// Of the gradients that are set, what each sequence gets, and what parameters gain from both.
  static constexpr std::array<float, kSequences> kShares{1.0F, 0.5F};
  static constexpr float kAllShares = 1.5F;

  /// `accumulates`: the step finds something in the gradients of its inputs already. Set the parameters, then make().
  OneTrainStep(models::Plan plan, std::int64_t n_tokens, bool accumulates, const train::QuantizerOptions& options = {})
      : plan_(std::move(plan)),
        parameters_(plan_, [](const models::TensorSpec&) { return true; }),
        weights_(must(train::Weights::make(plan_, parameters_, options))),
        shared_{must(linalg::Blas::load()), must(kernels::choose()), &parameters_, &weights_, n_tokens},
        accumulates_(accumulates),
        tokens_(static_cast<std::size_t>(kSequences * (n_tokens + 1)), 0) {
    for (const models::Value& value : plan_.values) values_.push_back(save(value.width));
    for (const models::Value& value : plan_.values) gradients_.push_back(save(value.width));
  }

  /// Makes the weights of the parameters, and the step; then its memory.
  void make(float lambda = 1.0F) {
    weights_.renew(lambda, pool_);
    std::visit(
        [this](const auto& step) {
          using Kind = std::decay_t<decltype(step)>;
          if constexpr (std::is_same_v<Kind, models::HeadStep>) {
            head_ = std::make_unique<train::Head>(step, shared_, *this);
          } else if constexpr (!std::is_same_v<Kind, models::PoolStep>) {
            step_ = train::make_step(step, shared_, *this);
          }
        },
        plan_.steps.back());
    constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
    saved_.assign(static_cast<std::size_t>(saved_width_ * all_tokens()), kNothing);
    temporary_.assign(static_cast<std::size_t>(temporary_floats_), kNothing);
    partials_.assign(static_cast<std::size_t>(partial_width_ * kSequences), 0.0F);
  }

  [[nodiscard]] train::Parameters& parameters() { return parameters_; }
  [[nodiscard]] train::Weights& weights() { return weights_; }
  [[nodiscard]] train::Head& head() { return *head_; }
  [[nodiscard]] sys::ThreadPool& pool() { return pool_; }
  [[nodiscard]] std::int64_t all_tokens() const { return kSequences * shared_.n_tokens; }

  /// Rows [n_tokens, width] of both sequences.
  void set_value(models::ValueId id, const std::vector<float>& rows) {
    for (std::int64_t s = 0; s < kSequences; ++s) std::ranges::copy(rows, lane(s).at(value(id)));
  }
  void set_gradient(models::ValueId id, const std::vector<float>& rows) {
    for (std::int64_t s = 0; s < kSequences; ++s) {
      const float share = kShares[static_cast<std::size_t>(s)];
      std::ranges::transform(rows, lane(s).at(gradient(id)), [share](float d) { return d * share; });
    }
  }
  /// A sequence's ids [n_tokens], and what it predicts last.
  void set_tokens(const std::vector<std::int32_t>& ids, std::int32_t last) {
    tokens_.clear();
    for (std::int64_t s = 0; s < kSequences; ++s) {
      tokens_.insert(tokens_.end(), ids.begin(), ids.end());
      tokens_.push_back(last);
    }
  }

  void forward() {
    step_->begin();
    for (std::int64_t s = 0; s < kSequences; ++s) step_->forward(lane(s));
  }
  /// Backward, and the gradients of parameters, which gain those of both sequences.
  void backward() {
    for (std::int64_t s = 0; s < kSequences; ++s) step_->backward(lane(s));
    for (std::int64_t i = 0; i < step_->n_pieces(batch_); ++i) step_->add_gradient(batch_, i);
  }
  [[nodiscard]] const train::Microbatch& batch() {
    batch_ = {kSequences, shared_.n_tokens, tokens_.data(), saved_.data(), partials_.data()};
    return batch_;
  }

  [[nodiscard]] std::vector<float> value_of(models::ValueId id, std::int64_t sequence) {
    return rows_of(value(id), sequence);
  }
  [[nodiscard]] std::vector<float> gradient_of(models::ValueId id, std::int64_t sequence) {
    return rows_of(gradient(id), sequence);
  }

  // What the step asks while it is made.
  [[nodiscard]] train::Place value(models::ValueId id) const override { return values_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] train::Place gradient(models::ValueId id) const override {
    return gradients_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] bool accumulates(models::ValueId /*id*/) const override { return accumulates_; }
  [[nodiscard]] train::PartialSum partial(std::int64_t width) override {
    partial_width_ += width;
    return {partial_width_ - width, width};
  }
  void want_temporary(std::int64_t n_floats) override { temporary_floats_ = std::max(temporary_floats_, n_floats); }
  [[nodiscard]] Rounded rounded(models::ValueId id) override { return {save(plan_.value(id).width), save(1), true}; }

 private:
  [[nodiscard]] train::Place save(std::int64_t width) {
    saved_width_ += width;
    return {train::Place::Kind::saved, saved_width_ - width, width};
  }
  template <typename T>
  static T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
  }
  train::Lane lane(std::int64_t sequence) { return {&batch(), sequence, nullptr, temporary_.data()}; }
  std::vector<float> rows_of(const train::Place& place, std::int64_t sequence) {
    const float* rows = lane(sequence).at(place);
    return {rows, rows + shared_.n_tokens * place.width};
  }

  models::Plan plan_;
  sys::ThreadPool pool_{1};
  train::Parameters parameters_;
  train::Weights weights_;
  train::Shared shared_;
  bool accumulates_;
  std::vector<std::int32_t> tokens_;
  std::vector<train::Place> values_;
  std::vector<train::Place> gradients_;
  std::int64_t saved_width_ = 0;
  std::int64_t partial_width_ = 0;
  std::int64_t temporary_floats_ = 0;
  std::vector<float> saved_;
  std::vector<float> temporary_;
  std::vector<float> partials_;
  train::Microbatch batch_;
  train::StepPointer step_;
  std::unique_ptr<train::Head> head_;
};

}  // namespace tern::test
