#include "ops/columns.hpp"

#include <cstring>

#include "kernels/binary_pack.hpp"
#include "kernels/sum_tables_layout.hpp"
#include "kernels/ternary_pack.hpp"
#include "ops/round_token.hpp"

namespace tern::ops {
namespace {

std::size_t aligned(std::size_t n_bytes) {
  return (n_bytes + 63) / 64 * 64;
}

/// Of a code, in the forms that are rounded per token.
int bits_of(InputForm form) {
  const bool has_four = form == InputForm::f32_rounded_4bit || form == InputForm::int4_token ||
                        form == InputForm::int4_taken || form == InputForm::int4_tables;
  return has_four ? 4 : 8;
}

std::size_t bytes_of_column(InputForm form, std::int64_t k) {
  switch (form) {
    case InputForm::f32:
    case InputForm::f32_rounded:
    case InputForm::f32_rounded_4bit:
      return aligned(static_cast<std::size_t>(k) * sizeof(float));
    case InputForm::int8_token:
    case InputForm::int4_token:
    case InputForm::int8_taken:
    case InputForm::int4_taken:
      return aligned(static_cast<std::size_t>(kernels::ternary_padded(k)));
    case InputForm::int8_tables:  // the tables, then the codes they are made of
    case InputForm::int4_tables:
      return aligned(static_cast<std::size_t>(kernels::binary_table_bytes(k) + kernels::binary_padded(k)));
    case InputForm::q8_0:
      return kernels::activation_bytes(kernels::Activation::q8_0, k);
    case InputForm::q8_k:
      return kernels::activation_bytes(kernels::Activation::q8_k, k);
  }
  return 0;
}

}  // namespace

void Columns::prepare(InputForm form, const kernels::Kernels& kernels, const float* x, std::size_t x_stride,
                      std::int64_t n_cols, std::int64_t k, sys::ThreadPool& pool) {
  begin(form, kernels, x, x_stride, n_cols, k);
  if (form == InputForm::f32) return;
  pool.parallel_for(n_cols, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c) round(c);
  });
}

void Columns::begin(InputForm form, const kernels::Kernels& kernels, const float* x, std::size_t x_stride,
                    std::int64_t n_cols, std::int64_t k) {
  form_ = form;
  n_cols_ = n_cols;
  k_ = k;
  kernels_ = &kernels;
  x_ = x;
  x_stride_ = x_stride;
  if (form == InputForm::f32) {
    data_ = x;
    column_bytes_ = x_stride * sizeof(float);
    return;
  }
  column_bytes_ = bytes_of_column(form, k);
  const std::size_t needed = column_bytes_ * static_cast<std::size_t>(n_cols);
  if (storage_.size() < needed) storage_ = AlignedBuffer(needed);
  data_ = storage_.data();
  scales_.resize(static_cast<std::size_t>(n_cols));
  sums_.resize(static_cast<std::size_t>(n_cols));
  const bool is_taken = form == InputForm::int8_taken || form == InputForm::int4_taken;
  if (is_taken && taken_.size() < static_cast<std::size_t>(n_cols)) taken_.resize(static_cast<std::size_t>(n_cols));
  in_runs_ = kernels::columns_in_runs(kernels.table.binary_sums.from, n_cols);
}

void Columns::round(std::int64_t c) {
  if (form_ == InputForm::f32) return;
  const auto column = static_cast<std::size_t>(c);
  const auto k = static_cast<std::size_t>(k_);
  const float* values = x_ + column * x_stride_;
  std::byte* out = storage_.data() + column * column_bytes_;
  const int bits = bits_of(form_);
  switch (form_) {
    case InputForm::f32:
      break;
    case InputForm::f32_rounded:
    case InputForm::f32_rounded_4bit: {
      std::vector<std::int8_t> codes(k);
      const float scale = round_token(*kernels_, bits, values, k_, codes.data(), &sums_[column]);
      auto* floats = reinterpret_cast<float*>(out);
      for (std::size_t i = 0; i < k; ++i) floats[i] = static_cast<float>(codes[i]) / scale;
      break;
    }
    case InputForm::int8_token:
    case InputForm::int4_token:
    case InputForm::int8_taken:
    case InputForm::int4_taken: {
      auto* q = reinterpret_cast<std::int8_t*>(out);
      scales_[column] = round_token(*kernels_, bits, values, k_, q, &sums_[column]);
      std::memset(q + k, 0, static_cast<std::size_t>(kernels::ternary_padded(k_)) - k);
      if (form_ == InputForm::int8_taken || form_ == InputForm::int4_taken) taken_[column].take(q, k_);
      break;
    }
    case InputForm::int8_tables:
    case InputForm::int4_tables: {
      auto* tables = reinterpret_cast<std::uint8_t*>(out);
      auto* q = reinterpret_cast<std::int8_t*>(tables + kernels::binary_table_bytes(k_));
      scales_[column] = round_token(*kernels_, bits, values, k_, q, &sums_[column]);
      std::memset(q + k, 0, static_cast<std::size_t>(kernels::binary_padded(k_)) - k);
      if (c >= in_runs_) kernels_->table.binary_tables(q, kernels::binary_padded(k_), tables);
      break;
    }
    case InputForm::q8_0:
      kernels_->table.quantize_q8_0(values, k_, out);
      break;
    case InputForm::q8_k:
      kernels_->table.quantize_q8_k(values, k_, out);
      break;
  }
}

std::int64_t Columns::n_taken() const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < n_cols_; ++c) sum += taken(c).size();
  return sum;
}

}  // namespace tern::ops
