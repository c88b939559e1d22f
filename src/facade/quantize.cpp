// The public quantize() and dequantize() over room formats: whole tensors in memory, one thread.
#include "tern/quantize.hpp"

#include <cmath>
#include <new>

#include "formats/all.hpp"

namespace tern {

std::vector<FormatInfo> weight_formats() {
  std::vector<FormatInfo> out;
  for (const formats::Format* format : formats::kAll) {
    out.push_back(
        {std::string(format->name), std::string(format->summary), format->bits_per_weight(), format->block_values});
  }
  return out;
}

Result<QuantizedTensor> quantize(std::string_view format_name, std::span<const float> values, std::int64_t n_rows,
                                 std::int64_t row_length) {
  TERN_TRY(const formats::Format* format, formats::by_name(format_name));
  const std::int64_t extents[] = {row_length, n_rows};
  TERN_TRY(const Shape shape, Shape::make(extents));
  if (values.size() != static_cast<std::size_t>(shape.n_elements())) {
    return fail(ErrorCode::usage, "got {} values, expected {} x {} = {}", values.size(), n_rows, row_length,
                shape.n_elements());
  }
  TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(*format, shape));
  QuantizedTensor out{std::string(format->name), n_rows, row_length, {}, 0.0, 0.0};
  try {
    out.bytes.resize(n_bytes);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "no memory for the {} bytes of the tensor in {}", n_bytes, out.format);
  }
  TERN_TRY_DO(formats::encode_tensor(*format, "tensor", shape, values, out.bytes));
  TERN_TRY(const std::vector<float> decoded, dequantize(out));
  double error = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = static_cast<double>(decoded[i]) - static_cast<double>(values[i]);
    error += difference * difference;
    squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  out.rmse = std::sqrt(error / static_cast<double>(values.size()));
  out.relative_error = squares == 0.0 ? 0.0 : std::sqrt(error / squares);
  return out;
}

Result<std::vector<float>> dequantize(const QuantizedTensor& tensor) {
  TERN_TRY(const formats::Format* format, formats::by_name(tensor.format));
  const std::int64_t extents[] = {tensor.row_length, tensor.n_rows};
  TERN_TRY(const Shape shape, Shape::make(extents));
  TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(*format, shape));
  if (tensor.bytes.size() != n_bytes) {
    return fail(ErrorCode::usage, "got {} bytes, expected {} for {} {}", tensor.bytes.size(), n_bytes, tensor.format,
                shape.text());
  }
  std::vector<float> out;
  try {
    out.resize(static_cast<std::size_t>(shape.n_elements()));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "no memory for the {} values of the tensor", shape.n_elements());
  }
  TERN_TRY_DO(formats::decode_rows(*format, shape, tensor.bytes, 0, shape.n_rows(), out));
  return out;
}

}  // namespace tern
