// Rows of ternary matrices as Hugging Face checkpoints store them: packed four to a byte, or as bf16 masters that are
// rounded on the fly.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "convert/checkpoint_rows.hpp"
#include "files/checkpoint.hpp"
#include "models/hf_config.hpp"

namespace tern::convert {

/// Packed uint8 [rows / 4, k]: byte row r holds logical rows r, r + rows/4, r + 2 rows/4, r + 3 rows/4 at bits 0-1,
/// 2-3, 4-5, 6-7, stored as value + 1. Writes row `row` times `scale` into out [k]. Errors: a code 3, naming the place.
[[nodiscard]] Result<void> unpack_ternary_row(const files::StoredTensor& packed, std::int64_t row, float scale,
                                              std::span<float> out);

/// The rows of such a matrix, times the scale that `checkpoint` has for it (NAME_scale, one number that multiplies or
/// divides). Errors: bad_input where the storage is not a packed one, or without a scale, or for one that is not
/// positive.
[[nodiscard]] Result<OneRow> packed_rows(const files::Checkpoint& checkpoint, const files::StoredTensor& packed,
                                         models::BitNetStorage storage);

/// mean |w| of a float matrix (double sum in row order), at least 1e-5: the scale of BitNet's online rounding.
[[nodiscard]] Result<float> absmean(const files::StoredTensor& masters);

/// w -> clamp(round(w / scale), -1, 1) * scale, ties to even, as the training code rounds (multiplying by 1/scale in
/// float).
void ternarise(std::span<float> row, float scale);

/// The rows of a matrix of masters, ternarised. The scale is found when the first row is read: opening a source must
/// not read all of it.
[[nodiscard]] OneRow master_rows(const files::StoredTensor& masters);

}  // namespace tern::convert
