#include "engine/pool.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tern::engine {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

Pool::Pool(models::Pooling kind, std::int64_t width, int n_sequences)
    : kind_(kind),
      width_(static_cast<std::size_t>(width)),
      sums_(width_ * static_cast<std::size_t>(n_sequences)),
      counts_(static_cast<std::size_t>(n_sequences)) {}

void Pool::add(int sequence, std::int64_t position, const float* vector) {
  const auto s = static_cast<std::size_t>(sequence);
  double* sum = sums_.data() + s * width_;
  if (position == 0) counts_[s] = 0;
  const bool starts = counts_[s]++ == 0;
  if (kind_ == models::Pooling::cls && !starts) return;
  const bool gathers = kind_ == models::Pooling::mean && !starts;
  for (std::size_t i = 0; i < width_; ++i) sum[i] = static_cast<double>(vector[i]) + (gathers ? sum[i] : 0.0);
}

std::vector<float> Pool::result(int sequence) const {
  const auto s = static_cast<std::size_t>(sequence);
  TERN_CHECK(counts_[s] > 0);
  const double n = kind_ == models::Pooling::mean ? static_cast<double>(counts_[s]) : 1.0;
  std::vector<float> out(width_);
  for (std::size_t i = 0; i < width_; ++i) out[i] = static_cast<float>(sums_[s * width_ + i] / n);
  return out;
}

void normalize(std::span<float> vector) {
  const double length = std::sqrt(dot(vector, vector));
  if (length == 0.0) return;
  for (float& x : vector) x = static_cast<float>(static_cast<double>(x) / length);
}

double cosine(std::span<const float> a, std::span<const float> b) {
  TERN_CHECK(a.size() == b.size());
  const double lengths = std::sqrt(dot(a, a)) * std::sqrt(dot(b, b));
  return lengths == 0.0 ? 0.0 : std::clamp(dot(a, b) / lengths, -1.0, 1.0);  // rounding makes a little more than 1
}

}  // namespace tern::engine
