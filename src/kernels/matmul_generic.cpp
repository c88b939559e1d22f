// The slow, obvious matmul that serves every pair of weight format and activation layout: decode both sides to float,
// add the products in double precision in the order of k, round once.
#include <algorithm>
#include <vector>

#include "formats/q8_0.hpp"
#include "formats/q8_k.hpp"
#include "kernels/kernels.hpp"

namespace tern::kernels {
namespace {

/// One record per layout: bytes of a block, values of a block, and how a column decodes.
struct Layout {
  Activation activation;
  std::int64_t block_values;
  std::size_t block_bytes;
  void (*decode)(const std::byte* column, std::int64_t n, float* values);
};

void decode_f32(const std::byte* column, std::int64_t n, float* values) {
  const auto* floats = reinterpret_cast<const float*>(column);
  std::copy(floats, floats + n, values);
}
void decode_q8_0(const std::byte* column, std::int64_t n, float* values) {
  formats::decode_row_q8_0(column, n, 1.0F, values);
}

constexpr Layout kLayouts[] = {
    {Activation::f32, 1, sizeof(float), decode_f32},
    {Activation::q8_0, formats::BlockQ8_0::kValues, sizeof(formats::BlockQ8_0), decode_q8_0},
    {Activation::q8_k, formats::BlockQ8_K::kValues, sizeof(formats::BlockQ8_K), formats::decode_row_q8_k},
};

const Layout& layout_of(Activation activation) {
  for (const Layout& layout : kLayouts) {
    if (layout.activation == activation) return layout;
  }
  check_failed("an activation without a layout", __FILE__, __LINE__);
}

}  // namespace

std::size_t activation_bytes(Activation activation, std::int64_t k) {
  const Layout& layout = layout_of(activation);
  const auto blocks = static_cast<std::size_t>((k + layout.block_values - 1) / layout.block_values);
  return (blocks * layout.block_bytes + 63) / 64 * 64;
}

void matmul_generic(const formats::Format& weight, float tensor_scale, Activation activation, const MatmulArgs& args) {
  const auto k = static_cast<std::size_t>(args.k);
  const Layout& layout = layout_of(activation);
  std::vector<float> row(k);
  std::vector<float> columns(k * static_cast<std::size_t>(args.n_cols));
  for (std::int64_t c = 0; c < args.n_cols; ++c) {
    layout.decode(static_cast<const std::byte*>(args.x) + static_cast<std::size_t>(c) * args.x_col_bytes, args.k,
                  columns.data() + static_cast<std::size_t>(c) * k);
  }
  for (std::int64_t r = 0; r < args.n_rows; ++r) {
    weight.decode_row(static_cast<const std::byte*>(args.w) + static_cast<std::size_t>(r) * args.w_row_bytes, args.k,
                      tensor_scale, row.data());
    for (std::int64_t c = 0; c < args.n_cols; ++c) {
      const float* x = columns.data() + static_cast<std::size_t>(c) * k;
      double sum = 0.0;
      for (std::size_t i = 0; i < k; ++i) sum += static_cast<double>(row[i]) * static_cast<double>(x[i]);
      args.y[static_cast<std::size_t>(c) * args.y_stride + static_cast<std::size_t>(r)] = static_cast<float>(sum);
    }
  }
}

}  // namespace tern::kernels
