// A weight matrix bound to the kernel that will multiply it: chosen once from the tensor's format and the model's
// activation policy, packed where that pays.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernels/kernels.hpp"
#include "kernels/ternary_pack.hpp"
#include "ops/columns.hpp"
#include "tensor/aligned_buffer.hpp"
#include "tensor/view.hpp"

namespace tern::ops {

/// How a product's input may be rounded: the model's policy reduced to what a kernel needs to know.
enum class Rounding : std::uint8_t { partner, none, per_token, per_token_4bit };

/// What is known of a product's input. Where most of it is zero, move_weights() packs ternary weights by columns, so
/// that columns are passed over: the results are the same to the bit.
enum class Input : std::uint8_t { any, mostly_zero };

/// Work of a product that is not done.
struct PassedOver {
  std::uint64_t bytes = 0;    // of weights, not read; at least so many
  std::int64_t products = 0;  // multiply-adds
};

class Matrix {
 public:
  /// tensor: [n_rows, k]; the bytes must outlive the matrix. Errors: the tensor's own scale is bad, or a ternary format
  /// holds a code that it does not define. With Input::mostly_zero ternary weights must be moved before they multiply.
  [[nodiscard]] static Result<Matrix> bind(const TensorView& tensor, Rounding rounding, const kernels::Kernels& kernels,
                                           Input input = Input::any);

  [[nodiscard]] std::int64_t n_rows() const { return n_rows_; }
  [[nodiscard]] std::int64_t k() const { return k_; }
  [[nodiscard]] InputForm input_form() const { return form_; }
  /// Bytes of all rows, as they are read by a product (before move_weights() as it will be).
  [[nodiscard]] std::uint64_t weight_bytes() const { return stored_.n_bytes; }
  /// What a product with this input leaves out because it would be multiplied by zero.
  [[nodiscard]] PassedOver passed_over(const Columns& x) const;
  /// What a product surely reads, from row `row` (or the panel that it lies in) to the end.
  [[nodiscard]] std::span<const std::byte> weights_from(std::int64_t row) const;
  /// Rows that lie in one piece of memory: to ask for parts of it costs as much as to ask for all.
  [[nodiscard]] std::int64_t rows_at_once() const { return stored_.unit_rows; }
  /// The instructions that do the multiply-adds, as bench/limits names them; empty where no limit is known.
  [[nodiscard]] std::string_view peak() const { return peak_; }
  /// Multiply-adds that one of those instructions' operations stands for: 1, or 2 where sums are looked up.
  [[nodiscard]] int products_per_operation() const {
    return stored_.layout == Layout::binary ? kernels_->table.binary_products : 1;
  }
  /// Bytes of packed copies made at bind (0 when the file's bytes are used as they are, or when they moved).
  [[nodiscard]] std::size_t packed_bytes() const {
    return to_panels_ ? to_panels_->owned.size() : stored_.owned.size();
  }
  /// Copies or packs the weights to `place` [weight_bytes(), 64-byte aligned] and uses them there from now on: the
  /// file's bytes, or the packed copy, are no longer needed.
  void move_weights(std::byte* place);

  /// y[c * y_stride + r] for rows [first, last) and all columns; x.form() == input_form(). Each output depends on its
  /// row, its column and k alone, in bits too.
  void multiply(std::int64_t first, std::int64_t last, const Columns& x, float* y, std::size_t y_stride) const;

  /// Row `row` as floats [k] (an embedding look-up).
  void decode_row(std::int64_t row, float* out) const;

 private:
  // Of the format, or packed by room kernels.
  enum class Layout : std::uint8_t { blocks, ternary, ternary_panels, binary };
  /// What products read: units of rows, one after the other.
  struct Stored {
    Layout layout = Layout::blocks;
    const std::byte* weights = nullptr;
    std::int64_t unit_rows = 1;   // rows in a unit: a panel where there are panels
    std::int64_t unit_bytes = 0;  // of a unit, and the step to the next
    std::uint64_t n_bytes = 0;
    float scale = 0.0F;        // of packed weights
    AlignedBuffer owned = {};  // of packed weights that lie nowhere else
  };
  /// Units from `weights` on; sets n_bytes by the rows.
  void store(Stored stored);
  /// The unit that holds `row`.
  [[nodiscard]] const std::byte* unit_of(std::int64_t row) const {
    return stored_.weights + row / stored_.unit_rows * stored_.unit_bytes;
  }

  void multiply_binary(std::int64_t first, std::int64_t last, const Columns& x, float* y, std::size_t y_stride) const;
  void multiply_ternary(std::int64_t first, std::int64_t last, const Columns& x, float* y, std::size_t y_stride) const;
  /// Whether a product with this input reads only what it takes.
  [[nodiscard]] bool passes_over(const Columns& x) const;
  void multiply_ternary_panels(std::int64_t first, std::int64_t last, const Columns& x, float* y,
                               std::size_t y_stride) const;
  void multiply_decoded(std::int64_t first, std::int64_t last, const Columns& x, float* y, std::size_t y_stride) const;

  const kernels::Kernels* kernels_ = nullptr;
  TensorView tensor_;
  std::int64_t n_rows_ = 0;
  std::int64_t k_ = 0;
  float tensor_scale_ = 1.0F;
  InputForm form_ = InputForm::f32;
  kernels::MatmulFn kernel_ = nullptr;      // null: generic or decoded
  kernels::MatmulFn f32_kernel_ = nullptr;  // for the decoded path
  Stored stored_;
  std::optional<kernels::TernaryMatrix> to_panels_;  // until weights are moved
  std::string_view peak_;
};

}  // namespace tern::ops
