// Weight formats: what there is, and putting one matrix into a format and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/error.hpp"

namespace tern {

struct FormatInfo {
  std::string name;  // "Q4_K"
  std::string summary;
  double bits_per_weight = 0.0;
  std::int64_t block_values = 0;  // rows must divide by this
};

/// Every format, in the order of the help text.
[[nodiscard]] std::vector<FormatInfo> weight_formats();

struct QuantizedTensor {
  std::string format;
  std::int64_t n_rows = 0;
  std::int64_t row_length = 0;
  std::vector<std::byte> bytes;  // as in a GGUF file
  double rmse = 0.0;             // root of the mean squared error against the values given
  double relative_error = 0.0;   // root of (sum of squared errors / sum of squares)
};

/// Encodes a row-major matrix [n_rows, row_length] by the format's reference method. Errors: an unknown format (with
/// the nearest), rows that do not divide, NaN or infinity, values the format cannot hold; row and column are named.
[[nodiscard]] Result<QuantizedTensor> quantize(std::string_view format, std::span<const float> values,
                                               std::int64_t n_rows, std::int64_t row_length);

/// The values a quantised tensor stands for, [n_rows * row_length].
[[nodiscard]] Result<std::vector<float>> dequantize(const QuantizedTensor& tensor);

}  // namespace tern
