// Decides where the values and gradients of a plan live (lane.hpp): saved where the backward pass or the weight
// gradients read them again, else in slots of scratch memory that are given on as soon as they are free. A residual
// stream has one gradient buffer: a sum's gradient becomes that of a side which is not saved and which nobody else has
// written yet.
#pragma once

#include <map>
#include <vector>

#include "models/slots.hpp"
#include "train/steps/step.hpp"

namespace tern::train {

class PlanLayout final : public Layout {
 public:
  /// `rounds`: linear steps keep a rounded copy of their input instead of the input.
  PlanLayout(const models::Plan& plan, bool rounds);

  /// The step that asks from now on.
  void begin(std::size_t step) { step_ = step; }

  [[nodiscard]] Place value(models::ValueId id) const override { return values_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Place gradient(models::ValueId id) const override {
    return gradients_[static_cast<std::size_t>(root(id))];
  }
  [[nodiscard]] bool accumulates(models::ValueId id) const override {
    return last_reader_[static_cast<std::size_t>(id)] != step_;
  }
  [[nodiscard]] PartialSum partial(std::int64_t width) override;
  void want_temporary(std::int64_t n_floats) override;
  [[nodiscard]] Rounded rounded(models::ValueId id) override;

  // Floats a token:
  [[nodiscard]] std::int64_t saved_width() const { return saved_width_; }
  [[nodiscard]] std::int64_t scratch_width() const { return scratch_width_; }
  // Floats a sequence, and in all:
  [[nodiscard]] std::int64_t partial_width() const { return partial_width_; }
  [[nodiscard]] std::int64_t temporary_floats() const { return temporary_floats_; }

 private:
  [[nodiscard]] Place save(std::int64_t width);
  void place_values(bool rounds);
  void place_gradients();
  void share_gradients(const std::vector<char>& saved);
  [[nodiscard]] models::ValueId root(models::ValueId id) const;
  void place_scratch(const std::vector<models::Usage>& operations, std::vector<Place>& places);

  const models::Plan& plan_;
  std::size_t step_ = 0;
  std::vector<std::size_t> last_reader_;   // by ValueId
  std::vector<models::ValueId> lives_in_;  // gradients: whose buffer it is
  std::vector<Place> values_;
  std::vector<Place> gradients_;
  std::map<models::ValueId, Rounded> rounded_;
  std::int64_t saved_width_ = 0;
  std::int64_t scratch_width_ = 0;
  std::int64_t partial_width_ = 0;
  std::int64_t temporary_floats_ = 0;
};

}  // namespace tern::train
