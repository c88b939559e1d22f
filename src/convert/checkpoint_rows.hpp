// Readers of a checkpoint's tensors as the writing loop wants them: rows in GGUF's order, and the mapped pages let go
// behind them. How the values of one row are spelled (float here, ternary in ternary_rows.hpp) is the OneRow's
// business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/error.hpp"
#include "files/checkpoint.hpp"
#include "models/architecture.hpp"
#include "quant/encode_stream.hpp"

namespace tern::convert {

/// Fills `values` [row length] with one row as stored.
using OneRow = std::function<Result<void>(std::int64_t row, std::span<float> values)>;

/// Of a tensor of any float type. The tensor must outlive it, here and below.
[[nodiscard]] OneRow float_rows(const files::StoredTensor& tensor);

/// GGUF's rows of a matrix of `checkpoint`, made of the stored ones.
[[nodiscard]] quant::RowReader matrix_reader(std::shared_ptr<const files::Checkpoint> checkpoint,
                                             const files::StoredTensor& tensor, OneRow rows,
                                             models::TensorName::Rows order, std::int64_t head_dim);

/// A vector is one row; where rows are reordered (a bias of q or k) its elements are. `plus` is added to each.
[[nodiscard]] quant::RowReader vector_reader(std::shared_ptr<const files::Checkpoint> checkpoint,
                                             const files::StoredTensor& tensor, models::TensorName::Rows order,
                                             std::int64_t head_dim, float plus);

/// Whether two tensors are matrices of one shape with the same values. Errors: a type that holds no floats.
[[nodiscard]] Result<bool> equal_matrices(const files::StoredTensor& a, const files::StoredTensor& b);

}  // namespace tern::convert
