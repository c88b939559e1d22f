// Recognising tensors that are ternary with one scale, and packing them.
//
// Every format goes one way: decode a row, and look whether its values are -s, 0 and +s for the s met so far. An
// ordinary tensor ends at its first few values. I2_S whose rows divide by the group is already packed: its bytes are
// only checked for the undefined code and used where they lie.
#include "kernels/ternary_pack.hpp"

#include <cmath>
#include <vector>

namespace tern::kernels {
namespace {

/// -1, 0, +1 for each value, or false if a value is no multiple of the scale by one of them. `scale` is 0 until the
/// first non-zero value sets it.
bool read_signs(const float* values, std::int64_t n, float& scale, std::int8_t* signs) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float magnitude = std::fabs(values[i]);
    if (magnitude == 0.0F) {
      signs[i] = 0;
      continue;
    }
    if (scale == 0.0F && std::isfinite(magnitude)) scale = magnitude;
    if (magnitude != scale) return false;  // also NaN and infinity
    signs[i] = values[i] > 0.0F ? 1 : -1;
  }
  return true;
}

/// One padded row of signs as packed codes; `signs` has k_padded elements, zero beyond the row.
void pack_row(const std::int8_t* signs, std::int64_t k_padded, std::uint8_t* out) {
  for (std::int64_t g = 0; g < k_padded; g += kTernaryGroup, signs += kTernaryGroup, out += kTernaryGroup / 4) {
    for (std::int64_t p = 0; p < kTernaryGroup / 4; ++p) {
      out[p] = static_cast<std::uint8_t>((signs[p] + 1) << 6 | (signs[32 + p] + 1) << 4 | (signs[64 + p] + 1) << 2 |
                                         (signs[96 + p] + 1));
    }
  }
}

/// The mapped bytes of a tensor whose rows are stored as the packed layout wants them, or nullopt.
std::optional<TernaryMatrix> borrow(const TensorView& tensor, TernaryMatrix matrix) {
  const formats::Format& format = *tensor.format;
  const auto* bytes = tensor.bytes.data();
  for (std::int64_t r = 0; r < matrix.n_rows; ++r) {
    if (!format.valid_row(bytes + r * format.row_bytes(matrix.k), matrix.k)) return std::nullopt;
  }
  matrix.codes = reinterpret_cast<const std::uint8_t*>(bytes);
  return matrix;
}

}  // namespace

std::optional<TernaryMatrix> pack_ternary(const TensorView& tensor) {
  const formats::Format& format = *tensor.format;
  TernaryMatrix matrix;
  matrix.n_rows = tensor.shape.n_rows();
  matrix.k = tensor.shape.row_length();
  matrix.k_padded = ternary_padded(matrix.k);
  const auto needed = formats::tensor_bytes(format, tensor.shape);
  if (!needed || tensor.bytes.size() < *needed) return std::nullopt;
  const auto tensor_scale = formats::read_tensor_scale(format, tensor.shape, tensor.bytes);
  if (!tensor_scale) return std::nullopt;

  // The one format with a scale for the whole tensor and two bits a weight is I2_S, whose groups are those of the
  // layout.
  if (format.tensor_scale != nullptr && format.is_ternary && format.block_values == kTernaryGroup &&
      matrix.k_padded == matrix.k) {
    matrix.scale = *tensor_scale;
    return borrow(tensor, std::move(matrix));
  }

  std::vector<float> values(static_cast<std::size_t>(matrix.k));
  std::vector<std::int8_t> signs(static_cast<std::size_t>(matrix.k_padded));
  const std::int64_t row_bytes = format.row_bytes(matrix.k);
  for (std::int64_t r = 0; r < matrix.n_rows; ++r) {
    format.decode_row(tensor.bytes.data() + r * row_bytes, matrix.k, *tensor_scale, values.data());
    if (!read_signs(values.data(), matrix.k, matrix.scale, signs.data())) return std::nullopt;
    if (matrix.owned.size() == 0) {  // after the first row, so that an ordinary tensor costs no memory
      matrix.owned = AlignedBuffer(static_cast<std::size_t>(matrix.n_rows * (matrix.k_padded / 4)));
    }
    pack_row(signs.data(), matrix.k_padded, matrix.owned.as<std::uint8_t>() + r * (matrix.k_padded / 4));
  }
  matrix.codes = matrix.owned.as<std::uint8_t>();
  return matrix;
}

}  // namespace tern::kernels
