// Random matrices and columns for kernel tests and benches: any format, any activation layout.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.hpp"
#include "formats/all.hpp"
#include "kernels/kernels.hpp"
#include "tensor/aligned_buffer.hpp"
#include "tensor/view.hpp"

namespace tern::test {

inline std::vector<float> normal_values(std::int64_t n, std::uint64_t seed, double scale = 1.0) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = static_cast<float>(random.normal() * scale);
  return values;
}

/// Values [n_rows, k] encoded into `format`.
inline AlignedBuffer encoded_rows(const formats::Format& format, std::int64_t n_rows, std::int64_t k,
                                  const std::vector<float>& values) {
  const auto row_bytes = static_cast<std::size_t>(format.row_bytes(k));
  AlignedBuffer out(row_bytes * static_cast<std::size_t>(n_rows));
  for (std::int64_t r = 0; r < n_rows; ++r) {
    const auto issue =
        format.encode_row(values.data() + r * k, k, 0.0625F, out.data() + static_cast<std::size_t>(r) * row_bytes);
    TERN_CHECK(!issue);
  }
  return out;
}

/// Of n random values the signs of large values (of all, where `is_binary`), all of one size.
inline std::vector<float> signs_of_normal_values(std::int64_t n, std::uint64_t seed, bool is_binary) {
  std::vector<float> values = normal_values(n, seed, 0.05);
  for (float& v : values) v = !is_binary && std::fabs(v) < 0.03F ? 0.0F : std::copysign(0.0625F, v);
  return values;
}

/// Random rows [n_rows, k] in `format`; where it holds only ternary values, the signs of large ones.
inline AlignedBuffer encoded_rows(const formats::Format& format, std::int64_t n_rows, std::int64_t k,
                                  std::uint64_t seed) {
  return encoded_rows(
      format, n_rows, k,
      format.is_ternary ? signs_of_normal_values(n_rows * k, seed, false) : normal_values(n_rows * k, seed, 0.05));
}

/// One aligned buffer of columns in an activation layout, made from floats [n_cols, k].
struct Columns {
  std::size_t col_bytes = 0;
  AlignedBuffer bytes;
};
inline Columns make_columns(const kernels::KernelSet& set, kernels::Activation activation, const std::vector<float>& x,
                            std::int64_t n_cols, std::int64_t k) {
  Columns out;
  out.col_bytes = kernels::activation_bytes(activation, k);
  out.bytes = AlignedBuffer(out.col_bytes * static_cast<std::size_t>(n_cols));
  for (std::int64_t c = 0; c < n_cols; ++c) {
    const float* from = x.data() + c * k;
    std::byte* to = out.bytes.data() + static_cast<std::size_t>(c) * out.col_bytes;
    if (activation == kernels::Activation::f32) {
      std::memcpy(to, from, static_cast<std::size_t>(k) * sizeof(float));
      // What lies between a column and the next cache line is nobody's: no kernel may let it into a sum.
      std::memset(to + static_cast<std::size_t>(k) * sizeof(float), 0xff,
                  out.col_bytes - static_cast<std::size_t>(k) * sizeof(float));
    }
    if (activation == kernels::Activation::q8_0) set.quantize_q8_0(from, k, to);
    if (activation == kernels::Activation::q8_k) set.quantize_q8_k(from, k, to);
  }
  return out;
}

/// The column's values as floats.
inline std::vector<float> decoded_column(kernels::Activation activation, const Columns& columns, std::int64_t c,
                                         std::int64_t k) {
  // A generic product with the identity would do as well; this one shares no code with the kernels.
  std::vector<float> out(static_cast<std::size_t>(k));
  const std::byte* p = columns.bytes.data() + static_cast<std::size_t>(c) * columns.col_bytes;
  if (activation == kernels::Activation::f32) std::memcpy(out.data(), p, out.size() * sizeof(float));
  if (activation == kernels::Activation::q8_0) formats::kQ8_0.decode_row(p, k, 1.0F, out.data());
  if (activation == kernels::Activation::q8_k) {
    for (std::int64_t b = 0; b < k / 256; ++b) {
      float d;
      std::memcpy(&d, p + b * 292, 4);
      for (std::int64_t i = 0; i < 256; ++i) {
        std::int8_t q;
        std::memcpy(&q, p + b * 292 + 4 + i, 1);
        out[static_cast<std::size_t>(b * 256 + i)] = d * static_cast<float>(q);
      }
    }
  }
  return out;
}

/// One table for each instruction set that this processor runs.
inline std::vector<kernels::Kernels> sets_of_this_machine() {
  std::vector<kernels::Kernels> out;
  for (const kernels::Isa& isa : kernels::all_isas()) {
    if (kernels::runs_here(isa)) out.push_back(kernels::choose(isa.name).value());
  }
  return out;
}

/// A tensor with its bytes, encoded with its tail.
struct EncodedTensor {
  Shape shape;
  std::vector<std::byte> bytes;
  const formats::Format* format;
  [[nodiscard]] TensorView view() const { return {"w", shape, format, bytes}; }
};
inline EncodedTensor encoded_tensor(const formats::Format& format, std::int64_t n_rows, std::int64_t k,
                                    const std::vector<float>& values) {
  EncodedTensor tensor{matrix_shape(k, n_rows), {}, &format};
  tensor.bytes.resize(formats::tensor_bytes(format, tensor.shape).value());
  TERN_CHECK(formats::encode_tensor(format, "w", tensor.shape, values, tensor.bytes).has_value());
  return tensor;
}

}  // namespace tern::test
