// Puts a matrix into a format as a stream: rows in, bytes out, a few megabytes in hand whatever the size. Blocks of
// rows are encoded by several threads; since a row's bytes depend on the row (and the tensor's scale) alone, any number
// of threads gives the same file. This is the round-to-nearest method of every format: the format's own reference
// encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "formats/format.hpp"
#include "sys/thread_pool.hpp"

namespace tern::quant {

/// Fills out [n_rows * row_length] with rows [first, first + n_rows). Called from one thread, ranges ascending within a
/// pass; formats with a tensor scale make two passes.
using RowReader = std::function<Result<void>(std::int64_t first, std::int64_t n_rows, std::span<float> out)>;
/// Takes the next encoded bytes.
using ByteSink = std::function<Result<void>(std::span<const std::byte>)>;

/// What encoding did to the values, for reports.
struct EncodeReport {
  double sum_squared_error = 0.0;
  double sum_squares = 0.0;
  double max_error = 0.0;
  std::int64_t n = 0;
  void add(const EncodeReport& other);
  [[nodiscard]] double rmse() const;
  [[nodiscard]] double relative_mse() const { return sum_squares == 0.0 ? 0.0 : sum_squared_error / sum_squares; }
};

/// Encodes a whole tensor. With `report`, decodes again and measures. Errors name the tensor and the row; cancelled
/// when the progress says so. Progress is told source bytes as F32 (row_length * 4 a row) through `advance`.
[[nodiscard]] Result<void> encode_stream(const formats::Format& format, std::string_view tensor_name,
                                         const Shape& shape, const RowReader& rows, const ByteSink& sink,
                                         sys::ThreadPool& pool, const std::function<bool(std::int64_t n_rows)>& advance,
                                         EncodeReport* report = nullptr);

}  // namespace tern::quant
