// Recognising tensors that are binary with one scale, and packing them: decode a row, and look whether its values are
// -s and +s for the s met first. Any other tensor ends at its first row.
#include "kernels/binary_pack.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace tern::kernels {
namespace {

/// Whether all values are -scale or +scale; `scale` is 0 until the first value sets it. Without a branch for each
/// value, so that compilers make vectors of it.
bool all_of_scale(const std::vector<float>& values, float& scale) {
  if (scale == 0.0F) scale = std::fabs(values.front());
  if (scale == 0.0F || !std::isfinite(scale)) return false;
  const auto wanted = std::bit_cast<std::uint32_t>(scale);
  std::uint32_t differences = 0;
  for (const float value : values) differences |= (std::bit_cast<std::uint32_t>(value) & 0x7fffffffU) ^ wanted;
  return differences == 0;
}

/// Row `row` of a panel.
void pack_row(const std::vector<float>& values, std::int64_t row, std::uint8_t* panel) {
  const auto at = static_cast<std::size_t>(row);
  for (std::size_t i = 0; i < values.size(); i += 8) {
    const std::size_t n = std::min<std::size_t>(8, values.size() - i);
    unsigned signs = 0;
    for (std::size_t j = 0; j < n; ++j) signs |= (~std::bit_cast<std::uint32_t>(values[i + j]) >> 31) << j;
    panel[i / 8 * kBinaryPanel + at] = static_cast<std::uint8_t>(signs);
  }
}

}  // namespace

std::optional<BinaryMatrix> pack_binary(const TensorView& tensor) {
  const formats::Format& format = *tensor.format;
  BinaryMatrix matrix;
  matrix.n_rows = tensor.shape.n_rows();
  matrix.k = tensor.shape.row_length();
  const auto needed = formats::tensor_bytes(format, tensor.shape);
  constexpr std::int64_t kLongest = std::int64_t{1} << 21;  // 2 * 1020 * k / 4 stays an int32
  if (!needed || tensor.bytes.size() < *needed || matrix.n_rows < 1 || matrix.k < 1 || matrix.k > kLongest)
    return std::nullopt;
  const auto tensor_scale = formats::read_tensor_scale(format, tensor.shape, tensor.bytes);
  if (!tensor_scale) return std::nullopt;
  std::vector<float> values(static_cast<std::size_t>(matrix.k));
  const std::int64_t row_bytes = format.row_bytes(matrix.k);
  for (std::int64_t r = 0; r < matrix.n_rows; ++r) {
    const std::byte* row = tensor.bytes.data() + r * row_bytes;
    if (!format.valid_row(row, matrix.k)) return std::nullopt;  // codes that are not defined are no signs
    format.decode_row(row, matrix.k, *tensor_scale, values.data());
    if (!all_of_scale(values, matrix.scale)) return std::nullopt;
    if (matrix.owned.size() == 0) {  // after the first row, so that an ordinary tensor costs no memory
      matrix.owned =
          AlignedBuffer(static_cast<std::size_t>(binary_panels(matrix.n_rows) * binary_panel_bytes(matrix.k)));
    }
    pack_row(values, r % kBinaryPanel,
             matrix.owned.as<std::uint8_t>() + r / kBinaryPanel * binary_panel_bytes(matrix.k));
  }
  matrix.panels = matrix.owned.as<std::uint8_t>();
  return matrix;
}

}  // namespace tern::kernels
