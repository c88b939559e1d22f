// Which choices are not beaten: a point is on the Pareto front if no other is at least as good both ways and better in
// one. Used for the line in the quality plots and for verdicts.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tern::report {

enum class Better { lower, higher };

struct Choice {
  double x = 0.0;
  double y = 0.0;
};

/// Indices of the front, by ascending x. Of equal points the first counts; points that are not finite never do.
[[nodiscard]] std::vector<std::size_t> pareto_front(std::span<const Choice> choices, Better better_x, Better better_y);

}  // namespace tern::report
