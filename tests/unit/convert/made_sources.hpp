// Tensors of a Source made of numbers at hand, for tests of the way out.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "convert/source.hpp"
#include "formats/all.hpp"

namespace tern::convert {

inline quant::RowReader reader_of(std::vector<float> values, std::int64_t k) {
  return [values = std::move(values), k](std::int64_t first, std::int64_t n, std::span<float> out) -> Result<void> {
    std::copy_n(values.begin() + first * k, n * k, out.begin());
    return {};
  };
}

inline SourceTensor matrix(const std::string& name, std::int64_t n_rows, std::int64_t k, std::vector<float> values) {
  return {.name = name,
          .shape = matrix_shape(k, n_rows),
          .role = models::TensorRole::linear,
          .natural = &formats::kF32,
          .read = reader_of(std::move(values), k),
          .source_name = "",
          .source_type = "F32"};
}

inline std::vector<float> normal(std::int64_t n, std::uint64_t seed, double scale, double mean = 0.0) {
  Random random(seed);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& v : out) v = static_cast<float>(mean + random.normal() * scale);
  return out;
}

}  // namespace tern::convert
