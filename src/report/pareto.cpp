// Implementation of pareto.hpp.
#include "report/pareto.hpp"

#include <algorithm>
#include <cmath>

namespace tern::report {

std::vector<std::size_t> pareto_front(std::span<const Choice> choices, Better better_x, Better better_y) {
  const double sign_x = better_x == Better::lower ? 1.0 : -1.0;
  const double sign_y = better_y == Better::lower ? 1.0 : -1.0;
  const auto usable = [&](std::size_t i) { return std::isfinite(choices[i].x) && std::isfinite(choices[i].y); };
  const auto beats = [&](std::size_t a, std::size_t b) {
    const double dx = sign_x * (choices[a].x - choices[b].x);
    const double dy = sign_y * (choices[a].y - choices[b].y);
    if (dx == 0.0 && dy == 0.0) return a < b;
    return dx <= 0.0 && dy <= 0.0;
  };
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!usable(i)) continue;
    bool beaten = false;
    for (std::size_t k = 0; k < choices.size() && !beaten; ++k) beaten = k != i && usable(k) && beats(k, i);
    if (!beaten) front.push_back(i);
  }
  std::ranges::sort(front, {}, [&](std::size_t i) { return choices[i].x; });
  return front;
}

}  // namespace tern::report
