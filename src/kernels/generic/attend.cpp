// Attention query by query and position by position, in double precision, with the largest score known beforehand: the
// plain definition, which the blocked kernels of other sets are held against.
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

/// The row of a position, as floats.
const float* row_at(const AttendArgs& a, bool is_key, std::int64_t position, float* row) {
  const std::size_t row_bytes = is_key ? a.k_row_bytes : a.v_row_bytes;
  // The number apart: GCC 12 with -fsanitize=undefined reads another page where it stands between the brackets.
  const std::int64_t number = position / a.page_positions;
  const void* page = (is_key ? a.k_pages : a.v_pages)[number];
  const auto* at = static_cast<const char*>(page) + static_cast<std::size_t>(position % a.page_positions) * row_bytes;
  (is_key ? a.load_keys : a.load_values)(at, row_bytes, 1, a.head_dim, a.head_dim, row);
  return row;
}

void attend_one(const AttendArgs& a, std::int64_t r, std::vector<float>& scores, std::vector<double>& mixed) {
  const std::int64_t first = a.first[r];
  const std::int64_t end = a.end[r];
  scores.assign(static_cast<std::size_t>(end - first), 0.0F);
  mixed.assign(static_cast<std::size_t>(a.head_dim), 0.0);
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t p = first; p < end; ++p) {
    const float* key = row_at(a, true, p, a.scratch);
    double dot = 0.0;
    for (std::int64_t d = 0; d < a.head_dim; ++d) dot += static_cast<double>(a.q[r][d]) * static_cast<double>(key[d]);
    double score = dot * static_cast<double>(a.scale);
    if (a.soft_cap != 0.0F)
      score = std::tanh(score / static_cast<double>(a.soft_cap)) * static_cast<double>(a.soft_cap);
    auto& kept = scores[static_cast<std::size_t>(p - first)];
    kept = static_cast<float>(score);
    if (kept > largest) largest = kept;
  }
  double sum = 0.0;
  for (std::int64_t p = first; p < end; ++p) {
    const float* value = row_at(a, false, p, a.scratch);
    const double weight =
        std::exp(static_cast<double>(scores[static_cast<std::size_t>(p - first)]) - static_cast<double>(largest));
    sum += weight;
    for (std::int64_t d = 0; d < a.head_dim; ++d)
      mixed[static_cast<std::size_t>(d)] += weight * static_cast<double>(value[d]);
  }
  for (std::int64_t d = 0; d < a.head_dim; ++d)
    a.out[r][d] = static_cast<float>(mixed[static_cast<std::size_t>(d)] / sum);
}

}  // namespace

void attend(const AttendArgs& args) {
  std::vector<float> scores;
  std::vector<double> mixed;
  for (std::int64_t r = 0; r < args.n_queries; ++r) attend_one(args, r, scores, mixed);
}

}  // namespace tern::kernels::generic
