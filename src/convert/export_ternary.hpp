// Ternary matrices as transformers stores them packed: four rows to a byte and one scale (ternary_rows.hpp reads them).
// Nothing is rounded here: the rows hold -s, 0 and +s already, or the matrix is refused.
#pragma once

#include <cstdint>

#include "base/error.hpp"
#include "convert/source.hpp"
#include "models/hf_config.hpp"
#include "quant/encode_stream.hpp"

namespace tern::convert {

/// The one magnitude that the rows hold beside 0; 0 where they hold nothing else. Errors: unsupported for a second
/// magnitude (scales of groups, floats), naming the place.
[[nodiscard]] Result<float> ternary_scale(const SourceTensor& tensor);

/// What stands in NAME_scale: the scale itself, or for packed_divide the number that gives it as 1 / number in float32
/// (the nearest one where none does); 1 for a scale of 0.
[[nodiscard]] float stored_scale(models::BitNetStorage storage, float scale);

/// Errors: unsupported where the rows do not divide by 4.
[[nodiscard]] Result<void> check_packs(const SourceTensor& tensor);

/// Writes uint8 [rows / 4, k] of rows in the checkpoint's order. The packed bytes of the whole matrix are in hand: byte
/// row r holds rows that lie far apart. Errors: those of check_packs.
[[nodiscard]] Result<void> write_packed_rows(const SourceTensor& tensor, models::TensorName::Rows order,
                                             std::int64_t head_dim, const quant::ByteSink& sink);

}  // namespace tern::convert
