#include "convert/ternary_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tern::convert {

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

}  // namespace tern::convert
