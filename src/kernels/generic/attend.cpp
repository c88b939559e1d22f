// One query head against one key/value head, position by position, in double precision.
#include <cmath>
#include <cstring>

#include "base/half.hpp"
#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

/// Element d of the row of a position.
template <class T>
double element(const void* const* pages, const AttendArgs& a, std::int64_t position, std::int64_t d) {
  const auto* row = static_cast<const char*>(pages[position / a.page_positions]) +
                    static_cast<std::size_t>(position % a.page_positions) * a.row_stride;
  T value;
  std::memcpy(&value, row + static_cast<std::size_t>(d) * sizeof(T), sizeof(T));
  if constexpr (sizeof(T) == 2) return static_cast<double>(fp16_to_fp32(value));
  return static_cast<double>(value);
}

template <class T>
void attend(const AttendArgs& a) {
  float largest = -HUGE_VALF;
  for (std::int64_t p = a.first; p < a.n_positions; ++p) {
    double dot = 0.0;
    for (std::int64_t d = 0; d < a.head_dim; ++d) dot += static_cast<double>(a.q[d]) * element<T>(a.k_pages, a, p, d);
    double score = dot * static_cast<double>(a.scale);
    if (a.soft_cap != 0.0F)
      score = std::tanh(score / static_cast<double>(a.soft_cap)) * static_cast<double>(a.soft_cap);
    a.scores[p] = static_cast<float>(score);
    if (a.scores[p] > largest) largest = a.scores[p];
  }
  double sum = 0.0;
  for (std::int64_t p = a.first; p < a.n_positions; ++p) {
    a.scores[p] = static_cast<float>(std::exp(static_cast<double>(a.scores[p]) - static_cast<double>(largest)));
    sum += static_cast<double>(a.scores[p]);
  }
  for (std::int64_t d = 0; d < a.head_dim; ++d) {
    double out = 0.0;
    for (std::int64_t p = a.first; p < a.n_positions; ++p) {
      out += static_cast<double>(a.scores[p]) * element<T>(a.v_pages, a, p, d);
    }
    a.out[d] = static_cast<float>(out / sum);
  }
}

}  // namespace

void attend_f16(const AttendArgs& args) {
  attend<std::uint16_t>(args);
}
void attend_f32(const AttendArgs& args) {
  attend<float>(args);
}

}  // namespace tern::kernels::generic
