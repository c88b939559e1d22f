// Recognising tensors that are ternary with one scale, and packing them.
//
// Every format goes one way: decode a row, and look whether its values are -s, 0 and +s for the s met first. An
// ordinary tensor ends at its first row, before it costs memory. I2_S whose rows divide by the group is already packed:
// its bytes are only checked for the undefined code and used where they lie.
#include "kernels/ternary_pack.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <vector>

namespace tern::kernels {
namespace {

/// One padded row as packed codes, or false if a value is no multiple of the scale by -1, 0 or +1 (NaN and infinity are
/// none). `scale` is 0 until the first value that is not zero sets it. values: [k_padded], zero beyond the row. On the
/// bits of floats and without branches, so that compilers make vectors of it.
bool pack_row(const float* values, std::int64_t k_padded, float& scale, std::uint8_t* out) {
  for (std::int64_t i = 0; scale == 0.0F && i < k_padded; ++i) {
    if (std::isfinite(values[i])) scale = std::fabs(values[i]);
  }
  const auto wanted = std::bit_cast<std::uint32_t>(scale);
  constexpr std::int64_t kPlane = kTernaryGroup / 4;
  std::uint32_t others = 0;
  for (std::int64_t g = 0; g < k_padded; g += kTernaryGroup, out += kPlane) {
    std::array<std::uint32_t, kPlane> bytes{};
    for (int plane = 0; plane < 4; ++plane, values += kPlane) {
      for (std::size_t p = 0; p < kPlane; ++p) {
        const auto bits = std::bit_cast<std::uint32_t>(values[p]);
        const std::uint32_t magnitude = bits & 0x7fffffffU;
        const std::uint32_t is_zero = magnitude == 0 ? 1U : 0U;
        const std::uint32_t is_scale = magnitude == wanted ? 1U : 0U;
        others |= (is_zero | is_scale) ^ 1U;
        bytes[p] = bytes[p] << 2 | is_zero | (~(bits >> 31) & (is_zero ^ 1U)) << 1;
      }
    }
    for (std::size_t p = 0; p < kPlane; ++p) out[p] = static_cast<std::uint8_t>(bytes[p]);
  }
  return others == 0;
}

/// The mapped bytes of a tensor whose rows are stored as the packed layout wants them, or nullopt.
std::optional<TernaryMatrix> borrow(const TensorView& tensor, TernaryMatrix matrix, const Packing& packing) {
  const formats::Format& format = *tensor.format;
  const auto* bytes = tensor.bytes.data();
  std::atomic<bool> valid = true;
  for_parts(packing, matrix.n_rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end && valid; ++r) {
      if (!format.valid_row(bytes + r * format.row_bytes(matrix.k), matrix.k)) valid = false;
    }
  });
  if (!valid) return std::nullopt;
  matrix.codes = reinterpret_cast<const std::uint8_t*>(bytes);
  return matrix;
}

}  // namespace

std::optional<TernaryMatrix> pack_ternary(const TensorView& tensor, const Packing& packing) {
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
    return borrow(tensor, std::move(matrix), packing);
  }

  const auto n_codes = static_cast<std::size_t>(matrix.k_padded / 4);
  const std::int64_t row_bytes = format.row_bytes(matrix.k);
  // values: [k_padded], zero beyond the row; scale: 0 where it is not known yet.
  const auto pack = [&](std::int64_t row, std::vector<float>& values, float& scale, std::uint8_t* out) {
    format.decode_row(tensor.bytes.data() + row * row_bytes, matrix.k, *tensor_scale, values.data());
    return pack_row(values.data(), matrix.k_padded, scale, out);
  };
  std::vector<float> first_values(static_cast<std::size_t>(matrix.k_padded));
  std::vector<std::uint8_t> first_codes(n_codes);
  for (std::int64_t r = 0; r < matrix.n_rows && matrix.scale == 0.0F; ++r) {
    if (!pack(r, first_values, matrix.scale, first_codes.data())) return std::nullopt;
  }
  PackedMemory memory(packing, static_cast<std::size_t>(matrix.n_rows) * n_codes);
  std::atomic<bool> agree = true;
  for_parts(packing, matrix.n_rows, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> values(static_cast<std::size_t>(matrix.k_padded));
    float scale = matrix.scale;
    for (std::int64_t r = begin; r < end && agree; ++r) {
      if (!pack(r, values, scale, memory.data() + static_cast<std::size_t>(r) * n_codes)) agree = false;
    }
  });
  if (!agree) return std::nullopt;
  matrix.codes = memory.data();
  matrix.owned = memory.keep();
  matrix.in_arena = packing.arena != nullptr;
  return matrix;
}

}  // namespace tern::kernels
