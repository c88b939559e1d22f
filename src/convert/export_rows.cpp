#include "convert/export_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/half.hpp"
#include "convert/row_order.hpp"

namespace tern::convert {
namespace {

constexpr std::int64_t kBlockFloats = std::int64_t{1} << 18;

using files::Dtype;
using models::TensorName;

// `values` of one block or one vector; rows of `k` floats each, a whole number of heads where they are reordered.
void reorder(std::span<const float> values, std::int64_t k, const StoredForm& form, std::vector<float>& out) {
  out.resize(values.size());
  const std::int64_t n_rows = std::ssize(values) / k;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    std::copy_n(values.begin() + gguf_row(form.rows, row, form.head_dim) * k, k, out.begin() + row * k);
  }
}

void append_half(std::vector<std::byte>& out, std::uint16_t bits) {
  out.push_back(static_cast<std::byte>(bits & 0xFFU));
  out.push_back(static_cast<std::byte>(bits >> 8));
}

Result<void> encode(std::string_view name, std::span<const float> values, const StoredForm& form,
                    std::vector<std::byte>& out) {
  out.clear();
  for (const float stored : values) {
    const float value = stored - form.plus;
    if (form.dtype == Dtype::bf16) {
      append_half(out, fp32_to_bf16(value));
    } else if (form.dtype == Dtype::f16) {
      const std::uint16_t bits = fp32_to_fp16(value);
      if ((bits & 0x7FFFU) == 0x7C00U && std::isfinite(value))
        return fail(ErrorCode::bad_input, "tensor {} holds {}, which F16 cannot; choose f32 or bf16", name, value);
      append_half(out, bits);
    } else {
      const std::size_t at = out.size();
      out.resize(at + sizeof(float));
      std::memcpy(out.data() + at, &value, sizeof(float));
    }
  }
  return {};
}

}  // namespace

Result<void> each_block(const Shape& shape, std::int64_t multiple, const quant::RowReader& read, const RowSink& sink) {
  const std::int64_t k = shape.row_length();
  const std::int64_t n_rows = shape.n_rows();
  const std::int64_t wanted = std::max<std::int64_t>(kBlockFloats / k / multiple, 1) * multiple;
  std::vector<float> values;
  for (std::int64_t first = 0; first < n_rows; first += wanted) {
    const std::int64_t n = std::min(wanted, n_rows - first);
    values.resize(static_cast<std::size_t>(n * k));
    TERN_TRY_DO(read(first, n, values));
    TERN_TRY_DO(sink(first, n, values));
  }
  return {};
}

float rounded_to(Dtype dtype, float value) {
  if (dtype == Dtype::bf16) return bf16_to_fp32(fp32_to_bf16(value));
  if (dtype == Dtype::f16) return fp16_to_fp32(fp32_to_fp16(value));
  return value;
}

Result<void> write_float_rows(std::string_view name, const Shape& shape, const quant::RowReader& read,
                              const StoredForm& form, const quant::ByteSink& sink) {
  const bool is_reordered = form.rows != TensorName::Rows::as_stored;
  const std::int64_t n = shape.is_vector() ? shape.row_length() : shape.n_rows();
  if (is_reordered && (form.head_dim < 2 || form.head_dim % 2 != 0 || n % form.head_dim != 0)) {
    return fail(ErrorCode::bad_input, "tensor {}: {} rows are no whole number of heads of {}", name, n, form.head_dim);
  }
  std::vector<float> in_order;
  std::vector<std::byte> bytes;
  const std::int64_t element = shape.is_vector() ? 1 : shape.row_length();  // what is reordered
  const std::int64_t multiple = is_reordered && !shape.is_vector() ? form.head_dim : 1;
  return each_block(shape, multiple, read,
                    [&](std::int64_t, std::int64_t, std::span<const float> values) -> Result<void> {
                      if (is_reordered) {
                        reorder(values, element, form, in_order);
                        values = in_order;
                      }
                      TERN_TRY_DO(encode(name, values, form, bytes));
                      return sink(bytes);
                    });
}

}  // namespace tern::convert
