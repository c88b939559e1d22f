// Recognising tensors that are binary with one scale, and packing them: decode a row, and look whether its values are
// -s and +s for the s met first. Any other tensor ends at its first row, before it costs memory.
#include "kernels/binary_pack.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
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

/// Row `row` of a panel. is_positive: [binary_padded(k)], scratch, 0 beyond the row.
void pack_row(const std::vector<float>& values, std::int64_t row, std::vector<std::uint8_t>& is_positive,
              std::uint8_t* panel) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    is_positive[i] = static_cast<std::uint8_t>(~std::bit_cast<std::uint32_t>(values[i]) >> 31);
  }
  for (std::size_t i = 0; i < is_positive.size(); i += 8) {
    // Byte j of the eight, times 2^(56 - 7 j), is bit j of the highest byte; no other product comes there.
    std::uint64_t eight = 0;
    std::memcpy(&eight, is_positive.data() + i, sizeof eight);
    panel[i * (kBinaryPanel / 8) + static_cast<std::size_t>(row)] =
        static_cast<std::uint8_t>(eight * 0x0102040810204080U >> 56);
  }
}

}  // namespace

std::optional<BinaryMatrix> pack_binary(const TensorView& tensor, const Packing& packing) {
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
  const std::int64_t row_bytes = format.row_bytes(matrix.k);
  // Whether the row's values are all of that scale: codes that are not defined are no signs.
  const auto decode = [&](std::int64_t row, std::vector<float>& values, float& scale) {
    const std::byte* bytes = tensor.bytes.data() + row * row_bytes;
    if (!format.valid_row(bytes, matrix.k)) return false;
    format.decode_row(bytes, matrix.k, *tensor_scale, values.data());
    return all_of_scale(values, scale);
  };
  std::vector<float> first_values(static_cast<std::size_t>(matrix.k));
  if (!decode(0, first_values, matrix.scale)) return std::nullopt;  // an ordinary tensor costs no memory
  const std::int64_t panel_bytes = binary_panel_bytes(matrix.k);
  PackedMemory memory(packing, static_cast<std::size_t>(binary_panels(matrix.n_rows) * panel_bytes));
  std::atomic<bool> agree = true;
  for_parts(packing, binary_panels(matrix.n_rows), [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> values(static_cast<std::size_t>(matrix.k));
    std::vector<std::uint8_t> is_positive(static_cast<std::size_t>(binary_padded(matrix.k)));
    float scale = matrix.scale;
    const std::int64_t last = std::min(end * kBinaryPanel, matrix.n_rows);
    for (std::int64_t r = begin * kBinaryPanel; r < last && agree; ++r) {
      if (decode(r, values, scale)) {
        pack_row(values, r % kBinaryPanel, is_positive, memory.data() + r / kBinaryPanel * panel_bytes);
      } else {
        agree = false;
      }
    }
  });
  if (!agree) return std::nullopt;
  matrix.panels = memory.data();
  matrix.owned = memory.keep();
  matrix.in_arena = packing.arena != nullptr;
  return matrix;
}

}  // namespace tern::kernels
