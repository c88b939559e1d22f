// Implementation of label_layout.hpp.
#include "report/label_layout.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tern::report {
namespace {

constexpr double kPointRadius = 7.0;

struct Direction {
  double x, y;
};
constexpr std::array<Direction, 8> kDirections{Direction{1, 0}, {-1, 0},    {0, -1},      {0, 1},
                                               {0.8, -0.8},     {0.8, 0.8}, {-0.8, -0.8}, {-0.8, 0.8}};

/// The box of a w x h label whose nearest edge or corner is `distance` from the point in a direction.
Box box_at(Point2 point, Direction direction, double distance, double w, double h) {
  const double x = point.x + direction.x * (distance + w / 2);
  const double y = point.y + direction.y * (distance + h / 2);
  return {x - w / 2, y - h / 2, x + w / 2, y + h / 2};
}

double outside(const Box& box, const Box& bounds) {
  return std::max(0.0, bounds.left - box.left) + std::max(0.0, box.right - bounds.right) +
         std::max(0.0, bounds.top - box.top) + std::max(0.0, box.bottom - bounds.bottom);
}

}  // namespace

double Box::overlap(const Box& other) const {
  const double w = std::min(right, other.right) - std::max(left, other.left);
  const double h = std::min(bottom, other.bottom) - std::max(top, other.top);
  return w > 0.0 && h > 0.0 ? w * h : 0.0;
}

std::vector<PlacedLabel> place_labels(std::span<const LabelWish> wishes, std::span<const Box> obstacles,
                                      const Box& bounds, double font_size) {
  std::vector<Box> taken;  // points and labels: covering them hides something, crossing an obstacle is only ugly
  for (const auto& wish : wishes) {
    taken.push_back(
        {wish.at.x - kPointRadius, wish.at.y - kPointRadius, wish.at.x + kPointRadius, wish.at.y + kPointRadius});
  }
  std::vector<PlacedLabel> placed;
  for (const auto& wish : wishes) {
    const double w = text_width(wish.text, font_size);
    const double h = 1.15 * font_size;
    double least = std::numeric_limits<double>::infinity();
    PlacedLabel best;
    for (const double distance : {10.0, 16.0, 28.0, 44.0, 64.0}) {
      double preference = 0.0;
      for (const auto& direction : kDirections) {
        const Box box = box_at(wish.at, direction, distance, w, h);
        double cost = distance - 10.0 + preference + 1000.0 * outside(box, bounds);
        preference += 0.5;
        for (const auto& other : obstacles) cost += 4.0 * box.overlap(other);
        for (const auto& other : taken) {
          if (const double area = box.overlap(other); area > 0.0) cost += 200.0 + 4.0 * area;
        }
        if (cost < least) {
          least = cost;
          best = {box, distance > 17.0};
        }
      }
    }
    taken.push_back(best.box);
    placed.push_back(best);
  }
  return placed;
}

}  // namespace tern::report
