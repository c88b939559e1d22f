#include "quant/encode_stream.hpp"

#include <algorithm>
#include <array>
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

/// What became of a row. Sums of every eighth value, then of the eight: the order is the row's alone.
EncodeReport measured(const formats::Format& format, float scale, std::span<const float> values,
                      const std::byte* encoded) {
  constexpr std::size_t kLanes = 8;
  std::vector<float> decoded(values.size());
  format.decode_row(encoded, std::ssize(values), scale, decoded.data());
  std::array<double, kLanes> squared_errors{};
  std::array<double, kLanes> squares{};
  std::array<double, kLanes> max_errors{};
  const auto add = [&](std::size_t lane, std::size_t i) {
    const double error = static_cast<double>(decoded[i]) - static_cast<double>(values[i]);
    squared_errors[lane] += error * error;
    squares[lane] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    max_errors[lane] = std::max(max_errors[lane], std::abs(error));
  };
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
  }
  for (std::size_t i = whole; i < values.size(); ++i) add(i - whole, i);
  EncodeReport report{.n = std::ssize(values)};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    report.sum_squared_error += squared_errors[lane];
    report.sum_squares += squares[lane];
    report.max_error = std::max(report.max_error, max_errors[lane]);
  }
  return report;
}

}  // namespace

void EncodeReport::add(const EncodeReport& other) {
  sum_squared_error += other.sum_squared_error;
  sum_squares += other.sum_squares;
  max_error = std::max(max_error, other.max_error);
  n += other.n;
}

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
  for (std::int64_t first = 0; first < shape.n_rows(); first += step) {
    const std::int64_t n = std::min(step, shape.n_rows() - first);
    TERN_TRY_DO(rows(first, n, std::span(values).first(static_cast<std::size_t>(n * row_length))));
    std::vector<formats::EncodeIssue> issues(static_cast<std::size_t>(n));
    std::vector<EncodeReport> reports(report == nullptr ? 0 : static_cast<std::size_t>(n));
    const std::int64_t chunk = std::max<std::int64_t>(1, 16384 / row_length);
    pool.parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const auto row = static_cast<std::size_t>(r);
        const std::span from{values.data() + r * row_length, static_cast<std::size_t>(row_length)};
        std::byte* to = encoded.data() + r * row_bytes;
        issues[row] = format.encode_row(from.data(), row_length, scale, to);
        if (report != nullptr && !issues[row]) reports[row] = measured(format, scale, from, to);
      }
    });
    for (std::int64_t r = 0; r < n; ++r) {
      if (issues[static_cast<std::size_t>(r)]) {
        return std::unexpected(formats::describe(issues[static_cast<std::size_t>(r)], format, tensor_name, first + r));
      }
      if (report != nullptr) report->add(reports[static_cast<std::size_t>(r)]);
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
