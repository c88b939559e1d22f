// From the figures of a sweep to four answers, each with its reason: the format for production, for least memory, for
// most speed, and the smallest without measurable loss. Pure: numbers in, words out.
//
// The rules, in one place:
//  * A loss counts as small only if it is shown to be: the mean over texts must be non-inferior to the reference within
//    the margin (one-sided test at 5 %). "Not significant" alone proves nothing, it may just be too little text.
//  * Production: of the formats with a loss shown to be small, the fastest in generation; of those as fast, the
//  smallest.
//  * No measurable loss: the smallest with no significant loss on any text and a loss shown to be small.
//  * Least memory, most speed: what they say, whatever the loss, which is named. Of peaks within 1 % of the least, and
//  of
//    speeds within 3 % of the best, the one with the smallest loss is taken: less cannot be felt.
//  * Said to be a tie: speeds whose ratio, paired by round, has a 95 % interval that holds 1. A tie is named, not
//  hidden.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/sweep.hpp"

namespace tern::lab {

struct Choice {
  std::optional<std::size_t> format;  // index into SweepResult::formats; empty: nothing can be recommended
  std::string reason;                 // one or two sentences with the figures
  std::vector<std::size_t> ties;      // not told apart by the question's own measure (without the choice)
};

struct Verdict {
  Choice production;
  Choice least_memory;
  Choice most_speed;
  Choice no_measurable_loss;
  std::vector<std::string> warnings;  // what a reader must know before trusting it
};

[[nodiscard]] Verdict judge(const SweepResult& result);

/// A share as percent with the digits that tell it from zero: 0.0042 is "+0.42 %", 0.00003 is "+0.0030 %";
/// at most four, so that what nobody could notice is "0.0000 %".
[[nodiscard]] std::string percent_text(double share);

/// Is the mean loss shown to be below the margin (p < 0.05, one-sided)? The reference is, by definition.
[[nodiscard]] bool loss_is_shown_small(const SweepResult& result, std::size_t format);

/// Are the speeds of two formats, round by round, not told apart? True when there are fewer than two common rounds.
[[nodiscard]] bool speeds_tie(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace tern::lab
