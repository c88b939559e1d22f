#include "convert/ternary_rows.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

namespace tern::convert {
namespace {

using models::BitNetStorage;

Result<float> packed_scale(const files::Checkpoint& checkpoint, const files::StoredTensor& packed,
                           BitNetStorage storage) {
  const std::string name = packed.name + "_scale";
  const files::StoredTensor* tensor = checkpoint.find(name);
  if (tensor == nullptr) return fail(ErrorCode::bad_input, "{} is packed, but its {} is missing", packed.name, name);
  if (tensor->n_elements() != 1) {
    return fail(ErrorCode::bad_input, "{} has shape {}, expected one number", name, tensor->shape_text());
  }
  float scale = 0.0F;
  TERN_TRY_DO(files::rows_to_f32(*tensor, 0, 1, {&scale, 1}));
  const float multiplier = storage == BitNetStorage::packed_divide ? 1.0F / scale : scale;
  if (!(multiplier > 0.0F) || multiplier > 3.4e38F)
    return fail(ErrorCode::bad_input, "{} is {}, expected a positive number", name, scale);
  return multiplier;
}

}  // namespace

Result<void> unpack_ternary_row(const files::StoredTensor& packed, std::int64_t row, float scale,
                                std::span<float> out) {
  const std::int64_t packed_rows = packed.n_rows();
  const int shift = static_cast<int>(2 * (row / packed_rows));
  std::vector<std::byte> buffer;
  const auto bytes = files::row_bytes(packed, row % packed_rows, buffer);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int code = (std::to_integer<int>(bytes[i]) >> shift) & 3;
    if (code == 3) {
      return fail(
          ErrorCode::bad_input,
          "{}: row {}, column {} holds the ternary code 3, expected 0, 1 or 2: the file is damaged or packed otherwise",
          packed.name, row, i);
    }
    out[i] = static_cast<float>(code - 1) * scale;
  }
  return {};
}

Result<OneRow> packed_rows(const files::Checkpoint& checkpoint, const files::StoredTensor& packed,
                           BitNetStorage storage) {
  if (storage != BitNetStorage::packed_multiply && storage != BitNetStorage::packed_divide) {
    return fail(ErrorCode::bad_input,
                "{} is packed uint8, but config.json has no quantization_config of method bitnet in offline mode",
                packed.name);
  }
  TERN_TRY(const float scale, packed_scale(checkpoint, packed, storage));
  return [&packed, scale](std::int64_t row, std::span<float> values) {
    return unpack_ternary_row(packed, row, scale, values);
  };
}

Result<float> absmean(const files::StoredTensor& masters) {
  const std::int64_t k = masters.row_length();
  std::vector<float> row(static_cast<std::size_t>(k));
  double sum = 0.0;
  for (std::int64_t r = 0; r < masters.n_rows(); ++r) {
    TERN_TRY_DO(files::rows_to_f32(masters, r, 1, row));
    for (const float w : row) sum += std::abs(static_cast<double>(w));
  }
  const double mean = sum / static_cast<double>(masters.n_elements());
  if (!std::isfinite(mean))
    return fail(ErrorCode::bad_input, "{}: holds NaN or infinity; repair the checkpoint", masters.name);
  return std::max(static_cast<float>(mean), 1e-5F);
}

void ternarise(std::span<float> row, float scale) {
  const float inverse = 1.0F / scale;
  for (float& w : row) w = std::clamp(std::nearbyint(w * inverse), -1.0F, 1.0F) * scale;
}

OneRow master_rows(const files::StoredTensor& masters) {
  auto scale = std::make_shared<std::optional<float>>();
  return [&masters, scale](std::int64_t row, std::span<float> values) -> Result<void> {
    if (!*scale) {
      TERN_TRY(*scale, absmean(masters));
    }
    TERN_TRY_DO(files::rows_to_f32(masters, row, 1, values));
    ternarise(values, **scale);
    return {};
  };
}

}  // namespace tern::convert
