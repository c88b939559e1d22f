#include "formats/format.hpp"

#include <memory>

#include "base/checked.hpp"

namespace tern::formats {

Result<std::uint64_t> tensor_bytes(const Format& format, const Shape& shape) {
  if (!format.fits_row(shape.row_length())) {
    return fail(ErrorCode::bad_input, "{} needs rows that divide by {}, got rows of {}", format.name,
                format.block_values, shape.row_length());
  }
  const auto n_blocks = static_cast<std::uint64_t>(shape.n_elements() / format.block_values);
  const auto body = checked_mul(n_blocks, static_cast<std::uint64_t>(format.block_bytes));
  const auto total = body ? checked_add(*body, static_cast<std::uint64_t>(format.tail_bytes)) : body;
  if (!total) return fail(ErrorCode::bad_input, "the size of a {} tensor {} overflows", format.name, shape.text());
  return *total;
}

Error describe(const EncodeIssue& issue, const Format& format, std::string_view tensor_name, std::int64_t row) {
  const std::string place = fmt::format("{}: row {}, column {}", tensor_name, row, issue.column);
  switch (issue.kind) {
    case EncodeIssue::Kind::not_finite:
      return {ErrorCode::bad_input,
              fmt::format("{} is {}; {} holds finite values only: repair the source", place, issue.value, format.name)};
    case EncodeIssue::Kind::scale_overflows_fp16:
      return {ErrorCode::bad_input,
              fmt::format("{}: {} is too large for {}: it, or its block's scale, would become infinite; use F32", place,
                          issue.value, format.name)};
    case EncodeIssue::Kind::not_ternary:
      return {ErrorCode::bad_input,
              fmt::format("{}: {} is not -s, 0 or +s; {} holds only ternary weights", place, issue.value, format.name)};
    case EncodeIssue::Kind::none:
      break;
  }
  return {ErrorCode::internal, fmt::format("{}: no issue", place)};
}

Result<void> encode_tensor(const Format& format, std::string_view tensor_name, const Shape& shape,
                           std::span<const float> values, std::span<std::byte> out) {
  TERN_TRY(const std::uint64_t n_bytes, tensor_bytes(format, shape));
  TERN_CHECK(out.size() == n_bytes);
  TERN_CHECK(values.size() == static_cast<std::size_t>(shape.n_elements()));
  const std::int64_t row_length = shape.row_length();
  const auto row_values = static_cast<std::size_t>(row_length);
  float scale = 1.0F;
  if (format.tensor_scale != nullptr) {
    const std::unique_ptr<TensorScaleScan> scan(format.tensor_scale->new_scan());
    for (std::int64_t row = 0; row < shape.n_rows(); ++row) {
      const auto issue = scan->observe(values.subspan(static_cast<std::size_t>(row) * row_values, row_values));
      if (issue) return std::unexpected(describe(issue, format, tensor_name, row));
    }
    auto finished = scan->finish();
    if (!finished) return in_context(tensor_name, std::move(finished).error());
    scale = *finished;
  }
  const std::int64_t row_bytes = format.row_bytes(row_length);
  for (std::int64_t row = 0; row < shape.n_rows(); ++row) {
    const auto issue =
        format.encode_row(values.data() + row * row_length, row_length, scale, out.data() + row * row_bytes);
    if (issue) return std::unexpected(describe(issue, format, tensor_name, row));
  }
  if (format.tensor_scale != nullptr) format.tensor_scale->write_tail(scale, out.data() + shape.n_rows() * row_bytes);
  return {};
}

Result<float> read_tensor_scale(const Format& format, const Shape& shape, std::span<const std::byte> bytes) {
  if (format.tensor_scale == nullptr) return 1.0F;
  TERN_TRY(const std::uint64_t n_bytes, tensor_bytes(format, shape));
  TERN_CHECK(bytes.size() >= n_bytes);
  return format.tensor_scale->read_tail(bytes.data() + n_bytes - static_cast<std::size_t>(format.tail_bytes));
}

Result<void> decode_rows(const Format& format, const Shape& shape, std::span<const std::byte> bytes,
                         std::int64_t first_row, std::int64_t n_rows, std::span<float> out) {
  const std::int64_t row_length = shape.row_length();
  TERN_TRY(const float scale, read_tensor_scale(format, shape, bytes));
  TERN_CHECK(first_row >= 0 && n_rows >= 0 && first_row + n_rows <= shape.n_rows());
  TERN_CHECK(out.size() >= static_cast<std::size_t>(n_rows * row_length));
  const std::int64_t row_bytes = format.row_bytes(row_length);
  for (std::int64_t row = 0; row < n_rows; ++row) {
    format.decode_row(bytes.data() + (first_row + row) * row_bytes, row_length, scale, out.data() + row * row_length);
  }
  return {};
}

}  // namespace tern::formats
