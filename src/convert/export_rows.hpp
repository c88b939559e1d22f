// Rows of a Source as a Hugging Face checkpoint stores them, the way of checkpoint_rows.hpp back: GGUF's rows in, the
// stored order and type out. Rows are read in ascending order, as readers want it; a head's rows at most are in hand.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "files/stored_tensor.hpp"
#include "models/architecture.hpp"
#include "quant/encode_stream.hpp"
#include "tensor/shape.hpp"

namespace tern::convert {

/// Takes `n_rows` rows [n_rows * row length], the next in GGUF's order.
using RowSink = std::function<Result<void>(std::int64_t first, std::int64_t n_rows, std::span<const float> values)>;

/// Hands all rows of a tensor on in blocks of about a megabyte, whose numbers of rows are multiples of `multiple` (but
/// the last one, where the rows do not divide).
[[nodiscard]] Result<void> each_block(const Shape& shape, std::int64_t multiple, const quant::RowReader& read,
                                      const RowSink& sink);

struct StoredForm {
  files::Dtype dtype = files::Dtype::f32;  // F32, F16 or BF16
  models::TensorName::Rows rows = models::TensorName::Rows::as_stored;
  std::int64_t head_dim = 0;
  float plus = 0.0F;  // taken off each element
};

/// The value that `dtype` (F32, F16, BF16) holds for `value`, to nearest.
[[nodiscard]] float rounded_to(files::Dtype dtype, float value);

/// Writes a whole tensor in that form. Errors: bad_input for a finite value that becomes infinite in F16, naming the
/// tensor; those of the reader and the sink.
[[nodiscard]] Result<void> write_float_rows(std::string_view name, const Shape& shape, const quant::RowReader& read,
                                            const StoredForm& form, const quant::ByteSink& sink);

}  // namespace tern::convert
