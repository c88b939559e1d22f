// Rows of keys and values in the formats that a cache may have: the encoders and decoders of room formats.
#include <cstring>

#include "base/half.hpp"
#include "formats/q4_0.hpp"
#include "formats/q8_0.hpp"
#include "kernels/generic/functions.hpp"

namespace tern::kernels::generic {
namespace {

/// Calls decode(row, out) for each row and fills up with zeros.
template <class Decode>
void load(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
          float* out, Decode decode) {
  for (std::int64_t i = 0; i < n_rows; ++i, out += out_stride) {
    decode(static_cast<const std::byte*>(rows) + static_cast<std::size_t>(i) * row_bytes, out);
    for (std::int64_t d = n; d < out_stride; ++d) out[d] = 0.0F;
  }
}

}  // namespace

void store_f32(const float* x, std::int64_t n, void* row) {
  std::memcpy(row, x, static_cast<std::size_t>(n) * sizeof(float));
}

void store_f16(const float* x, std::int64_t n, void* row) {
  auto* out = static_cast<std::uint16_t*>(row);
  for (std::int64_t i = 0; i < n; ++i) out[i] = fp32_to_fp16(x[i]);
}

void store_q8_0(const float* x, std::int64_t n, void* row) {
  quantize_q8_0(x, n, row);
}

void store_q4_0(const float* x, std::int64_t n, void* row) {
  using formats::BlockQ4_0;
  auto* out = static_cast<std::byte*>(row);
  for (std::int64_t i = 0; i + BlockQ4_0::kValues <= n; i += BlockQ4_0::kValues, out += sizeof(BlockQ4_0)) {
    if (!formats::encode_row_q4_0(x + i, BlockQ4_0::kValues, 1.0F, out)) continue;
    const BlockQ4_0 not_a_number{.d = 0x7e00, .q = {}};
    std::memcpy(out, &not_a_number, sizeof not_a_number);
  }
}

void load_f32(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
              float* out) {
  load(rows, row_bytes, n_rows, n, out_stride, out,
       [n](const std::byte* row, float* to) { std::memcpy(to, row, static_cast<std::size_t>(n) * sizeof(float)); });
}

void load_f16(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
              float* out) {
  load(rows, row_bytes, n_rows, n, out_stride, out, [n](const std::byte* row, float* to) {
    const auto* half = reinterpret_cast<const std::uint16_t*>(row);
    for (std::int64_t d = 0; d < n; ++d) to[d] = fp16_to_fp32(half[d]);
  });
}

void load_q8_0(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
               float* out) {
  load(rows, row_bytes, n_rows, n, out_stride, out,
       [n](const std::byte* row, float* to) { formats::decode_row_q8_0(row, n, 1.0F, to); });
}

void load_q4_0(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n, std::int64_t out_stride,
               float* out) {
  load(rows, row_bytes, n_rows, n, out_stride, out,
       [n](const std::byte* row, float* to) { formats::decode_row_q4_0(row, n, 1.0F, to); });
}

}  // namespace tern::kernels::generic
