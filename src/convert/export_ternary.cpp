#include "convert/export_ternary.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "convert/export_rows.hpp"
#include "convert/row_order.hpp"

namespace tern::convert {

Result<float> ternary_scale(const SourceTensor& tensor) {
  float scale = 0.0F;
  const std::int64_t k = tensor.shape.row_length();
  TERN_TRY_DO(each_block(
      tensor.shape, 1, tensor.read,
      [&](std::int64_t first, std::int64_t, std::span<const float> values) -> Result<void> {
        for (std::size_t i = 0; i < values.size(); ++i) {
          const float magnitude = std::abs(values[i]);
          if (magnitude == scale || magnitude == 0.0F) continue;
          if (scale == 0.0F && std::isfinite(magnitude)) {
            scale = magnitude;
            continue;
          }
          const auto at = static_cast<std::int64_t>(i);
          return fail(
              ErrorCode::unsupported,
              "tensor {}: row {}, column {} holds {}, but there was {} before: it is not ternary with one scale "
              "for the whole matrix, which is all that transformers' packed linears have; export to GGUF instead",
              tensor.name, first + at / k, at % k, values[i], scale);
        }
        return {};
      }));
  return scale;
}

float stored_scale(models::BitNetStorage storage, float scale) {
  if (scale == 0.0F) return 1.0F;
  if (storage != models::BitNetStorage::packed_divide) return scale;
  const float inverse = 1.0F / scale;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float stored : {inverse, std::nextafter(inverse, 0.0F), std::nextafter(inverse, kInfinity)}) {
    if (1.0F / stored == scale) return stored;
  }
  return inverse;
}

Result<void> check_packs(const SourceTensor& tensor) {
  if (tensor.shape.n_rows() % 4 == 0) return {};
  return fail(ErrorCode::unsupported, "tensor {} has {} rows, which do not pack by four; choose the masters spelling",
              tensor.name, tensor.shape.n_rows());
}

Result<void> write_packed_rows(const SourceTensor& tensor, models::TensorName::Rows order, std::int64_t head_dim,
                               const quant::ByteSink& sink) {
  const std::int64_t n_rows = tensor.shape.n_rows();
  const std::int64_t k = tensor.shape.row_length();
  TERN_TRY_DO(check_packs(tensor));
  const std::int64_t packed_rows = n_rows / 4;
  std::vector<std::byte> packed(static_cast<std::size_t>(packed_rows * k));
  TERN_TRY_DO(each_block(tensor.shape, 1, tensor.read,
                         [&](std::int64_t first, std::int64_t n, std::span<const float> values) -> Result<void> {
                           for (std::int64_t r = 0; r < n; ++r) {
                             const std::int64_t row = source_row(order, first + r, head_dim);
                             const auto shift = static_cast<unsigned>(2 * (row / packed_rows));
                             std::byte* out = packed.data() + row % packed_rows * k;
                             const float* in = values.data() + r * k;
                             for (std::int64_t i = 0; i < k; ++i) {
                               const unsigned code = in[i] > 0.0F ? 2U : in[i] < 0.0F ? 0U : 1U;
                               out[i] |= static_cast<std::byte>(code << shift);
                             }
                           }
                           return {};
                         }));
  return sink(packed);
}

}  // namespace tern::convert
