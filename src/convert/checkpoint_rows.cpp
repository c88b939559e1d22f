#include "convert/checkpoint_rows.hpp"

#include <utility>
#include <vector>

#include "convert/row_order.hpp"

namespace tern::convert {

using models::TensorName;

OneRow float_rows(const files::StoredTensor& tensor) {
  return [&tensor](std::int64_t row, std::span<float> values) { return files::rows_to_f32(tensor, row, 1, values); };
}

quant::RowReader matrix_reader(std::shared_ptr<const files::Checkpoint> checkpoint, const files::StoredTensor& tensor,
                               OneRow rows, TensorName::Rows order, std::int64_t head_dim) {
  const std::int64_t k = tensor.row_length();
  return [checkpoint = std::move(checkpoint), &tensor, rows = std::move(rows), order, head_dim, k](
             std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
    for (std::int64_t r = 0; r < n_rows; ++r) {
      TERN_TRY_DO(rows(source_row(order, first + r, head_dim),
                       out.subspan(static_cast<std::size_t>(r * k), static_cast<std::size_t>(k))));
    }
    checkpoint->release(tensor);
    return {};
  };
}

quant::RowReader vector_reader(std::shared_ptr<const files::Checkpoint> checkpoint, const files::StoredTensor& tensor,
                               TensorName::Rows order, std::int64_t head_dim, float plus) {
  return [checkpoint = std::move(checkpoint), &tensor, order, head_dim, plus](std::int64_t, std::int64_t,
                                                                              std::span<float> out) -> Result<void> {
    TERN_TRY(const std::vector<float> values, files::to_f32(tensor));
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = values[static_cast<std::size_t>(source_row(order, static_cast<std::int64_t>(i), head_dim))] + plus;
    }
    return {};
  };
}

Result<bool> equal_matrices(const files::StoredTensor& a, const files::StoredTensor& b) {
  if (a.shape != b.shape || a.shape.size() != 2) return false;
  const auto k = static_cast<std::size_t>(a.row_length());
  std::vector<float> row_of_a(k);
  std::vector<float> row_of_b(k);
  for (std::int64_t row = 0; row < a.shape[0]; ++row) {
    TERN_TRY_DO(files::rows_to_f32(a, row, 1, row_of_a));
    TERN_TRY_DO(files::rows_to_f32(b, row, 1, row_of_b));
    if (row_of_a != row_of_b) return false;
  }
  return true;
}

}  // namespace tern::convert
