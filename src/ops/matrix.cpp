#include "ops/matrix.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "formats/all.hpp"
#include "kernels/binary_pack.hpp"
#include "kernels/ternary_panels.hpp"

namespace tern::ops {
namespace {

using formats::Partner;
using kernels::Activation;

InputForm form_for(Rounding rounding, Partner partner) {
  if (rounding == Rounding::none) return InputForm::f32;
  if (rounding == Rounding::per_token) return InputForm::f32_rounded;
  if (rounding == Rounding::per_token_4bit) return InputForm::f32_rounded_4bit;
  switch (partner) {
    case Partner::f32:
      return InputForm::f32;
    case Partner::q8_0:
      return InputForm::q8_0;
    case Partner::q8_k:
      return InputForm::q8_k;
    case Partner::int8_token:
      return InputForm::f32_rounded;
  }
  return InputForm::f32;
}

Activation activation_of(InputForm form) {
  if (form == InputForm::q8_0) return Activation::q8_0;
  if (form == InputForm::q8_k) return Activation::q8_k;
  return Activation::f32;
}

/// A column's exact sums as outputs.
void scale_sums(const std::int32_t* sums, std::int64_t n, float token_scale, float weight_scale, float* out) {
  for (std::int64_t r = 0; r < n; ++r) out[r] = static_cast<float>(sums[r]) / token_scale * weight_scale;
}

// What could not be packed is either ternary with several scales, or damaged.
Result<void> check_codes(const TensorView& tensor) {
  const std::int64_t k = tensor.shape.row_length();
  for (std::int64_t r = 0; r < tensor.shape.n_rows(); ++r) {
    if (tensor.format->valid_row(tensor.bytes.data() + r * tensor.format->row_bytes(k), k)) continue;
    return fail(ErrorCode::bad_input,
                "{}: row {} holds a code that {} does not define, or a scale that is not finite: the file is damaged",
                tensor.name, r, tensor.format->name);
  }
  return {};
}

}  // namespace

Result<Matrix> Matrix::bind(const TensorView& tensor, Rounding rounding, const kernels::Kernels& kernels, Input input,
                            const kernels::Packing& packing) {
  Matrix m;
  m.kernels_ = &kernels;
  m.tensor_ = tensor;
  m.n_rows_ = tensor.shape.n_rows();
  m.k_ = tensor.shape.row_length();
  auto scale = formats::read_tensor_scale(*tensor.format, tensor.shape, tensor.bytes);
  if (!scale) return in_context(tensor.name, std::move(scale).error());
  m.tensor_scale_ = *scale;
  m.form_ = form_for(rounding, tensor.format->partner);
  if (m.form_ == InputForm::f32_rounded || m.form_ == InputForm::f32_rounded_4bit) {
    const bool has_eight_bits = m.form_ == InputForm::f32_rounded;
    // Only of a format of signs: what other formats hold is looked through for zeros as ternary, and packed as that.
    auto binary = tensor.format->is_binary ? kernels::pack_binary(tensor, packing) : std::nullopt;
    if (binary) {
      m.store({.layout = Layout::binary,
               .weights = reinterpret_cast<const std::byte*>(binary->panels),
               .unit_rows = kernels::kBinaryPanel,
               .unit_bytes = kernels::binary_panel_bytes(m.k_),
               .scale = binary->scale,
               .owned = std::move(binary->owned),
               .in_arena = binary->in_arena});
      m.form_ = has_eight_bits ? InputForm::int8_tables : InputForm::int4_tables;
      if (kernels.table.binary_peak != nullptr) m.peak_ = kernels.table.binary_peak;
      return m;
    }
    // Weights that are packed once more, by columns, go to the arena then.
    auto ternary = kernels::pack_ternary(
        tensor, {.pool = packing.pool, .arena = input == Input::mostly_zero ? nullptr : packing.arena});
    if (ternary) {
      if (input == Input::mostly_zero) {
        m.store({.layout = Layout::ternary_panels,
                 .unit_rows = kernels::kTernaryPanel,
                 .unit_bytes = kernels::ternary_panel_bytes(m.k_),
                 .scale = ternary->scale});
        m.to_panels_ = std::move(*ternary);
        m.form_ = has_eight_bits ? InputForm::int8_taken : InputForm::int4_taken;
      } else {
        m.store({.layout = Layout::ternary,
                 .weights = reinterpret_cast<const std::byte*>(ternary->codes),
                 .unit_bytes = ternary->k_padded / 4,
                 .scale = ternary->scale,
                 .owned = std::move(ternary->owned),
                 .in_arena = ternary->in_arena});
        m.form_ = has_eight_bits ? InputForm::int8_token : InputForm::int4_token;
      }
      const char* peak = input == Input::mostly_zero ? kernels.table.ternary_panel_peak : kernels.table.ternary_peak;
      if (peak != nullptr) m.peak_ = peak;
      return m;
    }
    if (tensor.format->is_ternary) {
      TERN_TRY_DO(check_codes(tensor));
    }
  }
  m.store({.weights = tensor.bytes.data(), .unit_bytes = tensor.format->row_bytes(m.k_)});
  const kernels::Kernels::Bound* bound = kernels.bound(*tensor.format, activation_of(m.form_));
  if (bound != nullptr) {
    m.kernel_ = bound->run;
    m.peak_ = bound->peak;
  }
  m.f32_kernel_ = kernels.matmul(formats::kF32, Activation::f32);
  return m;
}

void Matrix::store(Stored stored) {
  const std::int64_t n_units = (n_rows_ + stored.unit_rows - 1) / stored.unit_rows;
  stored_ = std::move(stored);
  stored_.n_bytes = static_cast<std::uint64_t>(n_units * stored_.unit_bytes);
}

void Matrix::move_weights(const kernels::Packing& packing,
                          const std::function<void(std::span<const std::byte>)>& moved) {
  if (stored_.in_arena) return;
  TERN_CHECK(packing.arena != nullptr);
  std::byte* place = packing.arena->take(static_cast<std::size_t>(stored_.n_bytes));
  if (to_panels_) {
    kernels::pack_ternary_panels(*to_panels_, reinterpret_cast<std::uint8_t*>(place), packing);
    to_panels_.reset();
  } else {
    constexpr std::uint64_t kStep = std::uint64_t{32} << 20;  // so much is in memory twice; the size is not critical
    for (std::uint64_t done = 0; done < stored_.n_bytes; done += kStep) {
      const std::span part{stored_.weights + done, std::min(kStep, stored_.n_bytes - done)};
      kernels::for_parts(packing, std::ssize(part), [&](std::int64_t begin, std::int64_t end) {
        std::memcpy(place + done + begin, part.data() + begin, static_cast<std::size_t>(end - begin));
      });
      if (moved && stored_.owned.size() == 0) moved(part);
    }
  }
  stored_.weights = place;
  stored_.owned = {};
  stored_.in_arena = true;
  if (stored_.layout == Layout::blocks) tensor_.bytes = {place, stored_.n_bytes};
}

PassedOver Matrix::passed_over(const Columns& x) const {
  if (!passes_over(x)) return {};
  const std::int64_t left_out = std::max<std::int64_t>(x.n_cols() * k_ - x.n_taken(), 0);
  PassedOver out{.bytes = 0, .products = left_out * n_rows_};
  // What several columns take together is not counted: their bytes are all.
  if (x.n_cols() == 1)
    out.bytes = static_cast<std::uint64_t>(kernels::ternary_panels(n_rows_) * left_out * kernels::kTernaryPanelColumn);
  return out;
}

std::span<const std::byte> Matrix::weights_from(std::int64_t row) const {
  if (stored_.layout == Layout::ternary_panels) return {};
  return {unit_of(row), stored_.weights + stored_.n_bytes};
}

const kernels::SumTables* Matrix::sums() const {
  const kernels::KernelSet& table = kernels_->table;
  if (stored_.layout == Layout::binary) return &table.binary_sums;
  return stored_.layout == Layout::ternary && table.ternary_tables != nullptr ? &table.ternary_sums : nullptr;
}

std::int64_t Matrix::columns_in_runs(std::int64_t n_cols) const {
  return sums() == nullptr ? 0 : kernels::columns_in_runs(sums()->from, n_cols);
}

Arithmetic Matrix::arithmetic(std::int64_t n_cols) const {
  if (columns_in_runs(n_cols) > 0) return {sums()->peak, sums()->products};
  return {peak_, stored_.layout == Layout::binary ? kernels_->table.binary_products : 1};
}

void Matrix::multiply(const Block& block, const Columns& x, float* y, std::size_t y_stride) const {
  TERN_CHECK(x.form() == form_ && x.k() == k_ && !to_panels_);
  const auto [first, last, first_column, last_column] = block;
  if (first >= last) return;
  if (stored_.layout == Layout::ternary) return multiply_ternary(block, x, y, y_stride);
  if (stored_.layout == Layout::binary) return multiply_binary(block, x, y, y_stride);
  TERN_CHECK(first_column == 0 && last_column == x.n_cols());
  if (stored_.layout == Layout::ternary_panels) return multiply_ternary_panels(first, last, x, y, y_stride);
  const Activation activation = activation_of(form_);
  if (kernel_ == nullptr && activation == Activation::f32 && f32_kernel_ != nullptr) {
    return multiply_decoded(first, last, x, y, y_stride);
  }
  const kernels::MatmulArgs args{.w = unit_of(first),
                                 .w_row_bytes = static_cast<std::size_t>(stored_.unit_bytes),
                                 .n_rows = last - first,
                                 .x = x.data(),
                                 .x_col_bytes = x.column_bytes(),
                                 .n_cols = x.n_cols(),
                                 .k = k_,
                                 .y = y + first,
                                 .y_stride = y_stride};
  if (kernel_ != nullptr) {
    kernel_(args);
  } else {
    kernels::matmul_generic(*tensor_.format, tensor_scale_, activation, args);
  }
}

void Matrix::multiply_by_tables(const Block& block, const Columns& x, float* y, std::size_t y_stride) const {
  // A thread's own, kept from one product to the next: up to 600 KB, whose pages would be cleared every time.
  thread_local AlignedBuffer scratch;
  const std::int64_t n_rows = block.last_row - block.first_row;
  const std::int64_t most_rows = std::min(n_rows, kMostRowsOfRuns);
  const auto n_bytes = static_cast<std::size_t>(kernels::sum_tables_scratch(most_rows));
  if (scratch.size() < n_bytes) scratch = AlignedBuffer(n_bytes);
  const auto* codes = static_cast<const std::int8_t*>(x.data());
  for (std::int64_t r = block.first_row; r < block.last_row; r += most_rows) {
    for (std::int64_t c = block.first_column; c < block.last_column; c += kernels::kSumColumns) {
      kernels_->table.ternary_tables({.w = reinterpret_cast<const std::uint8_t*>(unit_of(r)),
                                      .n_rows = std::min(most_rows, block.last_row - r),
                                      .x = codes + static_cast<std::size_t>(c) * x.column_bytes(),
                                      .x_stride = x.column_bytes(),
                                      .x_scales = x.scales() + c,
                                      .n_cols = std::min(kernels::kSumColumns, block.last_column - c),
                                      .k_padded = kernels::ternary_padded(k_),
                                      .w_scale = stored_.scale,
                                      .y = y + static_cast<std::size_t>(c) * y_stride + r,
                                      .y_stride = y_stride,
                                      .scratch = scratch.as<char>()});
    }
  }
}

void Matrix::multiply_ternary(const Block& block, const Columns& x, float* y, std::size_t y_stride) const {
  auto [first, last, first_column, last_column] = block;
  const std::int64_t in_runs = columns_in_runs(last_column - first_column);
  if (in_runs > 0) {
    multiply_by_tables({first, last, first_column, first_column + in_runs}, x, y, y_stride);
    first_column += in_runs;
    if (first_column == last_column) return;
  }
  // int32 sums of one step, on the stack. Weights are unpacked once for so many columns: few would make that dear. One
  // column takes many rows at once instead, which its kernel reads in several streams.
  constexpr std::int64_t kColumns = 128;
  constexpr std::int64_t kSums = 32 * kColumns;
  const std::int64_t most_rows = last_column - first_column == 1 ? kSums : 32;
  std::array<std::int32_t, kSums> sums;
  const float weight_scale = stored_.scale;
  const auto* codes = static_cast<const std::int8_t*>(x.data());
  for (std::int64_t r0 = first; r0 < last; r0 += most_rows) {
    const std::int64_t n_rows = std::min(most_rows, last - r0);
    for (std::int64_t c0 = first_column; c0 < last_column; c0 += kColumns) {
      const std::int64_t n_cols = std::min(kColumns, last_column - c0);
      kernels_->table.ternary({.w = reinterpret_cast<const std::uint8_t*>(unit_of(r0)),
                               .n_rows = n_rows,
                               .x = codes + static_cast<std::size_t>(c0) * x.column_bytes(),
                               .x_sums = x.sums() + c0,
                               .n_cols = n_cols,
                               .k_padded = kernels::ternary_padded(k_),
                               .y = sums.data(),
                               .y_stride = static_cast<std::size_t>(n_rows)});
      for (std::int64_t c = 0; c < n_cols; ++c) {
        scale_sums(sums.data() + c * n_rows, n_rows, x.scales()[c0 + c], weight_scale,
                   y + static_cast<std::size_t>(c0 + c) * y_stride + r0);
      }
    }
  }
}

bool Matrix::passes_over(const Columns& x) const {
  if (stored_.layout != Layout::ternary_panels) return false;
  // For few columns of the input, unpacking all of the weights pays less: with 2 to 8 the tiles reach half to three
  // quarters of what they reach with 128 (tern_bench_kernels panels; Xeon, 2026-11).
  const double below = kernels_->table.ternary_taken_below * (x.n_cols() <= 8 ? 2.0 : 1.0);
  return x.n_cols() == 1 || static_cast<double>(x.n_taken()) < below * static_cast<double>(x.n_cols() * k_);
}

void Matrix::multiply_ternary_panels(std::int64_t first, std::int64_t last, const Columns& x, float* y,
                                     std::size_t y_stride) const {
  constexpr std::int64_t kPanel = kernels::kTernaryPanel;
  constexpr std::int64_t kColumns = 128;                                       // for which a panel is unpacked once
  std::array<std::int32_t, static_cast<std::size_t>(kPanel * kColumns)> sums;  // of one step, on the stack
  const bool passes = passes_over(x);
  for (std::int64_t r0 = first / kPanel * kPanel; r0 < last; r0 += kPanel) {
    const auto* panel = reinterpret_cast<const std::uint8_t*>(unit_of(r0));
    const std::int64_t from = std::max(first, r0);
    const std::int64_t to = std::min(last, r0 + kPanel);
    const auto finish = [&](std::int64_t c, const std::int32_t* panel_sums) {
      scale_sums(panel_sums + (from - r0), to - from, x.scales()[c], stored_.scale,
                 y + static_cast<std::size_t>(c) * y_stride + from);
    };
    if (passes) {
      // One column goes on to the next panel, several stay at this one.
      const bool goes_on = x.n_cols() == 1 && r0 + kPanel < last;
      for (std::int64_t c = 0; c < x.n_cols(); ++c) {
        const kernels::TakenColumns& taken = x.taken(c);
        kernels_->table.ternary_taken({.w = panel,
                                       .next = goes_on ? panel + stored_.unit_bytes : panel,
                                       .taken = taken.columns(),
                                       .codes = taken.codes(),
                                       .n_taken = taken.size(),
                                       .x_sum = x.sums()[c],
                                       .y = sums.data()});
        finish(c, sums.data());
      }
      continue;
    }
    for (std::int64_t c0 = 0; c0 < x.n_cols(); c0 += kColumns) {
      const std::int64_t n_cols = std::min(kColumns, x.n_cols() - c0);
      kernels_->table.ternary_panel(
          {.w = panel,
           .k = kernels::ternary_panel_columns(k_),
           .x = static_cast<const std::int8_t*>(x.data()) + static_cast<std::size_t>(c0) * x.column_bytes(),
           .x_stride = x.column_bytes(),
           .x_sums = x.sums() + c0,
           .n_cols = n_cols,
           .y = sums.data(),
           .y_stride = kPanel});
      for (std::int64_t c = 0; c < n_cols; ++c) finish(c0 + c, sums.data() + c * kPanel);
    }
  }
}

void Matrix::multiply_binary(const Block& block, const Columns& x, float* y, std::size_t y_stride) const {
  const auto [first, last, first_column, last_column] = block;
  constexpr std::int64_t kPanel = kernels::kBinaryPanel;
  const auto run = [&](std::int64_t panel, std::int64_t n_panels, std::int64_t column, std::int64_t n_cols, float* out,
                       std::size_t out_stride) {
    const auto* tables =
        static_cast<const std::uint8_t*>(x.data()) + static_cast<std::size_t>(column) * x.column_bytes();
    kernels_->table.binary({.w = reinterpret_cast<const std::uint8_t*>(unit_of(panel * kPanel)),
                            .n_panels = n_panels,
                            .tables = tables,
                            .table_stride = x.column_bytes(),
                            .codes = reinterpret_cast<const std::int8_t*>(tables + kernels::binary_table_bytes(k_)),
                            .code_stride = x.column_bytes(),
                            .x_sums = x.sums() + column,
                            .x_scales = x.scales() + column,
                            .n_cols = n_cols,
                            .k_padded = kernels::binary_padded(k_),
                            .w_scale = stored_.scale,
                            .y = out,
                            .y_stride = out_stride});
  };
  // Of a panel that is not wanted as a whole, the rows that are, by way of the stack.
  constexpr std::int64_t kColumns = 32;
  const auto run_part = [&](std::int64_t panel) {
    std::array<float, kPanel * kColumns> rows;
    const std::int64_t from = std::max(first, panel * kPanel);
    const std::int64_t to = std::min(last, (panel + 1) * kPanel);
    for (std::int64_t c0 = first_column; c0 < last_column; c0 += kColumns) {
      const std::int64_t n_cols = std::min(kColumns, last_column - c0);
      run(panel, 1, c0, n_cols, rows.data(), kPanel);
      for (std::int64_t c = 0; c < n_cols; ++c) {
        std::copy_n(rows.data() + c * kPanel + (from - panel * kPanel), to - from,
                    y + static_cast<std::size_t>(c0 + c) * y_stride + from);
      }
    }
  };
  const std::int64_t first_whole = (first + kPanel - 1) / kPanel;
  const std::int64_t end_whole = last / kPanel;
  if (first % kPanel != 0) run_part(first / kPanel);
  if (first_whole < end_whole)
    run(first_whole, end_whole - first_whole, first_column, last_column - first_column,
        y + static_cast<std::size_t>(first_column) * y_stride + first_whole * kPanel, y_stride);
  if (last % kPanel != 0 && last / kPanel >= first_whole) run_part(last / kPanel);
}

void Matrix::multiply_decoded(std::int64_t first, std::int64_t last, const Columns& x, float* y,
                              std::size_t y_stride) const {
  constexpr std::int64_t kRows = 8;
  AlignedBuffer rows(static_cast<std::size_t>(kRows * k_) * sizeof(float));
  for (std::int64_t r0 = first; r0 < last; r0 += kRows) {
    const std::int64_t n_rows = std::min(kRows, last - r0);
    for (std::int64_t r = 0; r < n_rows; ++r) decode_row(r0 + r, rows.as<float>() + r * k_);
    f32_kernel_({.w = rows.data(),
                 .w_row_bytes = static_cast<std::size_t>(k_) * sizeof(float),
                 .n_rows = n_rows,
                 .x = x.data(),
                 .x_col_bytes = x.column_bytes(),
                 .n_cols = x.n_cols(),
                 .k = k_,
                 .y = y + r0,
                 .y_stride = y_stride});
  }
}

void Matrix::decode_row(std::int64_t row, float* out) const {
  tensor_.format->decode_row(tensor_.bytes.data() + row * tensor_.format->row_bytes(k_), k_, tensor_scale_, out);
}

}  // namespace tern::ops
