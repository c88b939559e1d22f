// Puts the names of points beside them without covering points, whiskers or one another. Pure geometry in pixels.
//
// Greedy, in the order given: each label takes the cheapest of a fixed set of places around its point, near ones first;
// a place far enough away to need it gets a leader line. Same input, same picture.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/svg.hpp"

namespace tern::report {

struct Box {
  double left = 0.0, top = 0.0, right = 0.0, bottom = 0.0;

  /// The area both share.
  [[nodiscard]] double overlap(const Box& other) const;
};

struct LabelWish {
  Point2 at;  // the point to be named
  std::string text;
};

struct PlacedLabel {
  Box box;
  bool leader = false;  // far from its point: draw a line to it
};

/// One place per wish; labels stay inside `bounds` where a place there is left.
[[nodiscard]] std::vector<PlacedLabel> place_labels(std::span<const LabelWish> wishes, std::span<const Box> obstacles,
                                                    const Box& bounds, double font_size = 12.0);

}  // namespace tern::report
