// A weight matrix bound to the kernel that will multiply it: chosen once from the tensor's format and the model's
// activation policy, packed where that pays.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "kernels/kernels.hpp"
#include "kernels/sum_tables_layout.hpp"
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

/// A part of a product: rows of the matrix and columns of the input, [first, last) of both.
struct Block {
  std::int64_t first_row;
  std::int64_t last_row;
  std::int64_t first_column;
  std::int64_t last_column;
};

/// The instructions that do multiply-adds, as bench/limits names them (empty where no limit is known), and how many one
/// of their operations stands for: 1, or more where sums are looked up.
struct Arithmetic {
  std::string_view peak;
  int per_operation = 1;
};

class Matrix {
 public:
  /// tensor: [n_rows, k]; the bytes must outlive the matrix. Errors: the tensor's own scale is bad, or a ternary format
  /// holds a code that it does not define. With Input::mostly_zero ternary weights must be moved before they multiply.
  /// Weights that are packed go to packing.arena if there is one (those of mostly_zero when they move). Throws
  /// std::bad_alloc.
  [[nodiscard]] static Result<Matrix> bind(const TensorView& tensor, Rounding rounding, const kernels::Kernels& kernels,
                                           Input input = Input::any, const kernels::Packing& packing = {});

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
  /// Of n_cols columns of the input those, the first ones, that are done kColumnsOfRun at once and for many rows, by
  /// sums that are looked up; what is left over is done like few columns.
  [[nodiscard]] std::int64_t columns_in_runs(std::int64_t n_cols) const;
  static constexpr std::int64_t kColumnsOfRun = kernels::kSumColumns;
  static constexpr std::int64_t kMostRowsOfRuns = kernels::kSumRows;
  /// What does most of the multiply-adds of a product with n_cols columns.
  [[nodiscard]] Arithmetic arithmetic(std::int64_t n_cols) const;
  /// Bytes of packed copies made at bind (0 when the file's bytes are used as they are, or where the arena has them).
  [[nodiscard]] std::size_t packed_bytes() const {
    return to_panels_ ? to_panels_->owned.size() : stored_.owned.size();
  }
  /// Copies or packs the weights into packing.arena, which must be there, unless they lie there, and uses them there
  /// from now on: the file's bytes, or the packed copy, are no longer needed. `moved`: called with bytes of the file as
  /// soon as they have been copied, some MB at a time. Throws std::bad_alloc.
  void move_weights(const kernels::Packing& packing, const std::function<void(std::span<const std::byte>)>& moved = {});

  /// y[c * y_stride + r] for the rows and columns of a block, all columns but where some are in runs, which it does
  /// not cut; x.form() == input_form(). Each output depends on its row, its column and k alone, in bits too.
  void multiply(const Block& block, const Columns& x, float* y, std::size_t y_stride) const;
  void multiply(std::int64_t first, std::int64_t last, const Columns& x, float* y, std::size_t y_stride) const {
    multiply({first, last, 0, x.n_cols()}, x, y, y_stride);
  }

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
    bool in_arena = false;
  };
  /// Units from `weights` on; sets n_bytes by the rows.
  void store(Stored stored);
  /// The unit that holds `row`.
  [[nodiscard]] const std::byte* unit_of(std::int64_t row) const {
    return stored_.weights + row / stored_.unit_rows * stored_.unit_bytes;
  }

  /// Null where nothing is looked up.
  [[nodiscard]] const kernels::SumTables* sums() const;
  void multiply_binary(const Block& block, const Columns& x, float* y, std::size_t y_stride) const;
  void multiply_ternary(const Block& block, const Columns& x, float* y, std::size_t y_stride) const;
  void multiply_by_tables(const Block& block, const Columns& x, float* y, std::size_t y_stride) const;
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
