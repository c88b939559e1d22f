#include "train/run/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/words.hpp"

namespace tern::train {

double Schedule::learning_rate(std::int64_t s) const {
  const auto step = static_cast<double>(s);
  const auto all = static_cast<double>(n_steps);
  const double warm = warm_up == 0 ? 1.0 : std::min(1.0, (step + 1.0) / static_cast<double>(warm_up));
  double share = 1.0;  // of the peak
  switch (kind) {
    case Kind::linear:
      share = 1.0 - (1.0 - last) * step / all;
      break;
    case Kind::cosine:
      share = last + (1.0 - last) * 0.5 * (1.0 + std::cos(std::numbers::pi * step / all));
      break;
    case Kind::wsd: {
      const double stable = stable_until * all;
      if (step > stable) share = 1.0 - (1.0 - last) * (step - stable) / (all - stable);
      break;
    }
    case Kind::two_stage: {
      const double half = all / 2.0;
      share = step < half ? 1.0 - (1.0 - first_end) * step / half
                          : second_peak * std::max(last, 1.0 - (step - half) / half);
      break;
    }
  }
  return warm * peak * share;
}

double Schedule::weight_decay_at(std::int64_t s) const {
  return static_cast<double>(s) > decay_until * static_cast<double>(n_steps) ? 0.0 : weight_decay;
}

double Schedule::lambda(std::int64_t s) const {
  const auto first = static_cast<std::int64_t>(std::llround(quantise_from * static_cast<double>(n_steps)));
  const std::int64_t step = std::min(s, n_steps - 1);
  if (step < first) return 0.0;
  return fade_in == 0 ? 1.0 : std::min(1.0, static_cast<double>(step - first + 1) / static_cast<double>(fade_in));
}

std::string_view schedule_name(Schedule::Kind kind) {
  return kScheduleNames[static_cast<std::size_t>(kind)];
}

Result<Schedule::Kind> schedule_by_name(std::string_view name) {
  const auto found = std::ranges::find(kScheduleNames, name);
  if (found != kScheduleNames.end()) return static_cast<Schedule::Kind>(found - kScheduleNames.begin());
  return fail(ErrorCode::usage, "unknown schedule \"{}\"{}: there are {}", printable(name),
              did_you_mean(name, kScheduleNames), fmt::format("{}", fmt::join(kScheduleNames, ", ")));
}

}  // namespace tern::train
