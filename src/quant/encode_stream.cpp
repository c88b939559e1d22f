#include "quant/encode_stream.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace tern::quant {
namespace {

constexpr std::int64_t kBlockValues = std::int64_t{1} << 20;  // 4 MB of floats in hand

std::int64_t rows_in_hand(std::int64_t row_length) {
  return std::max<std::int64_t>(1, kBlockValues / row_length);
}

// Pass one of formats whose scale belongs to the tensor.
Result<float> scan_scale(const formats::Format& format, std::string_view name, const Shape& shape,
                         const RowReader& rows) {
  const std::unique_ptr<formats::TensorScaleScan> scan(format.tensor_scale->new_scan());
  const std::int64_t row_length = shape.row_length();
  const std::int64_t step = rows_in_hand(row_length);
  std::vector<float> values(static_cast<std::size_t>(step * row_length));
  for (std::int64_t first = 0; first < shape.n_rows(); first += step) {
    const std::int64_t n = std::min(step, shape.n_rows() - first);
    TERN_TRY_DO(rows(first, n, std::span(values).first(static_cast<std::size_t>(n * row_length))));
    for (std::int64_t r = 0; r < n; ++r) {
      const auto issue = scan->observe({values.data() + r * row_length, static_cast<std::size_t>(row_length)});
      if (issue) return std::unexpected(formats::describe(issue, format, name, first + r));
    }
  }
  auto scale = scan->finish();
  if (!scale) return in_context(name, std::move(scale).error());
  return scale;
}

void measure(const formats::Format& format, float scale, const float* values, std::int64_t n, const std::byte* encoded,
             std::vector<float>& decoded, EncodeReport& report) {
  decoded.resize(static_cast<std::size_t>(n));
  format.decode_row(encoded, n, scale, decoded.data());
  for (std::int64_t i = 0; i < n; ++i) {
    const double error = static_cast<double>(decoded[static_cast<std::size_t>(i)]) - static_cast<double>(values[i]);
    report.sum_squared_error += error * error;
    report.sum_squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    report.max_error = std::max(report.max_error, std::abs(error));
  }
  report.n += n;
}

}  // namespace

double EncodeReport::rmse() const {
  return n == 0 ? 0.0 : std::sqrt(sum_squared_error / static_cast<double>(n));
}

Result<void> encode_stream(const formats::Format& format, std::string_view tensor_name, const Shape& shape,
                           const RowReader& rows, const ByteSink& sink, sys::ThreadPool& pool,
                           const std::function<bool(std::int64_t)>& advance, EncodeReport* report) {
  TERN_TRY([[maybe_unused]] const std::uint64_t n_bytes, formats::tensor_bytes(format, shape));
  const std::int64_t row_length = shape.row_length();
  const std::int64_t row_bytes = format.row_bytes(row_length);
  float scale = 1.0F;
  if (format.tensor_scale != nullptr) {
    TERN_TRY(scale, scan_scale(format, tensor_name, shape, rows));
  }
  const std::int64_t step = rows_in_hand(row_length);
  std::vector<float> values(static_cast<std::size_t>(std::min(step, shape.n_rows()) * row_length));
  std::vector<std::byte> encoded(static_cast<std::size_t>(std::min(step, shape.n_rows()) * row_bytes));
  std::vector<float> decoded;
  for (std::int64_t first = 0; first < shape.n_rows(); first += step) {
    const std::int64_t n = std::min(step, shape.n_rows() - first);
    TERN_TRY_DO(rows(first, n, std::span(values).first(static_cast<std::size_t>(n * row_length))));
    std::vector<formats::EncodeIssue> issues(static_cast<std::size_t>(n));
    const std::int64_t chunk = std::max<std::int64_t>(1, 16384 / row_length);
    pool.parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        issues[static_cast<std::size_t>(r)] =
            format.encode_row(values.data() + r * row_length, row_length, scale, encoded.data() + r * row_bytes);
      }
    });
    for (std::int64_t r = 0; r < n; ++r) {
      if (issues[static_cast<std::size_t>(r)]) {
        return std::unexpected(formats::describe(issues[static_cast<std::size_t>(r)], format, tensor_name, first + r));
      }
      if (report != nullptr)
        measure(format, scale, values.data() + r * row_length, row_length, encoded.data() + r * row_bytes, decoded,
                *report);
    }
    TERN_TRY_DO(sink(std::span(encoded).first(static_cast<std::size_t>(n * row_bytes))));
    if (!advance(n)) return fail(ErrorCode::cancelled, "stopped at tensor {}; nothing was written", tensor_name);
  }
  if (format.tensor_scale != nullptr) {
    std::vector<std::byte> tail(static_cast<std::size_t>(format.tail_bytes));
    format.tensor_scale->write_tail(scale, tail.data());
    TERN_TRY_DO(sink(tail));
  }
  return {};
}

}  // namespace tern::quant
