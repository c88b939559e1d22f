// What changes from step to step by plan: learning rate, weight decay, and how far quantisation is faded in. Pure
// functions of the step's number, so that a resumed run needs nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tern::train {

struct Schedule {
  enum class Kind : std::uint8_t {
    linear,     // from the peak down to `last`
    cosine,     // the same along half a cosine
    wsd,        // warm-up, stable, decay: at the peak until `stable_until`, then linearly to `last`
    two_stage,  // linearly to `first_end` of the peak at half-way; there a drop to a second peak, and linearly towards
                // zero, at least `last` (the recipe of BitNet b1.58)
  };
  Kind kind = Kind::cosine;
  std::int64_t n_steps = 1;
  std::int64_t warm_up = 0;  // steps; the rate is multiplied by (s + 1) / warm_up until that is 1
  double peak = 1e-3;
  double last = 0.05;              // of the peak (two_stage: of the second peak)
  double stable_until = 0.8;       // wsd: of the steps
  double first_end = 0.5;          // two_stage: of the peak
  double second_peak = 1.0 / 3.0;  // two_stage: of the peak
  double weight_decay = 0.1;       // until
  double decay_until = 1.0;        // this share of the steps; zero after it
  double quantise_from = 0.0;      // share of the steps that is trained in float first
  std::int64_t fade_in = 0;        // steps over which the rounding is mixed in after that

  /// Of step s, 0 <= s < n_steps.
  [[nodiscard]] double learning_rate(std::int64_t s) const;
  [[nodiscard]] double weight_decay_at(std::int64_t s) const;
  /// 0: float; 1: quantised; between: w + lambda (Q(w) - w). At and beyond the end it stays what it was last.
  [[nodiscard]] double lambda(std::int64_t s) const;
};

inline constexpr std::array<std::string_view, 4> kScheduleNames{"linear", "cosine", "wsd", "two_stage"};
[[nodiscard]] std::string_view schedule_name(Schedule::Kind kind);
[[nodiscard]] Result<Schedule::Kind> schedule_by_name(std::string_view name);

}  // namespace tern::train
