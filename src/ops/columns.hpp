// The input of a matrix product as its kernels want it: columns of floats, of int8 rounded per token (or tables of
// their sums), or of the blocks that pair with a weight format. Prepared once for all products that read the same
// input.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"
#include "kernels/ternary_panels.hpp"
#include "sys/thread_pool.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::ops {

enum class InputForm : std::uint8_t {
  f32,               // the floats themselves
  f32_rounded,       // rounded to int8 per token and scaled back: what a per-token model means for any weight format
  f32_rounded_4bit,  // the same with codes of 4 bits
  int8_token,        // codes of 8 bits, one scale a token
  int4_token,        // codes of 4 bits, each in a byte
  int8_taken,        // codes of 8 bits, one scale a token, and which of them are not zero
  int4_taken,        // the same with codes of 4 bits
  int8_tables,       // tables of codes of 8 bits (not of columns that are done in runs), one scale a token
  int4_tables,       // the same of codes of 4 bits
  q8_0,              // blocks of 32
  q8_k,              // blocks of 256
};

/// Columns [n_cols][k] in one form. Buffers grow and are reused from call to call.
class Columns {
 public:
  /// x: column c begins at x + c * x_stride, k values. For InputForm::f32 the floats are borrowed, not copied, and
  /// must be 64-byte aligned with a stride that keeps them so.
  void prepare(InputForm form, const kernels::Kernels& kernels, const float* x, std::size_t x_stride,
               std::int64_t n_cols, std::int64_t k, sys::ThreadPool& pool);
  /// The same in two steps, for a caller that has each column at hand when it has made it: begin(), whose `kernels` and
  /// `x` must stay, then round() for every column, in any order and from any thread.
  void begin(InputForm form, const kernels::Kernels& kernels, const float* x, std::size_t x_stride, std::int64_t n_cols,
             std::int64_t k);
  void round(std::int64_t column);

  [[nodiscard]] InputForm form() const { return form_; }
  [[nodiscard]] std::int64_t n_cols() const { return n_cols_; }
  [[nodiscard]] std::int64_t k() const { return k_; }
  [[nodiscard]] const void* data() const { return data_; }
  [[nodiscard]] std::size_t column_bytes() const { return column_bytes_; }
  /// The forms of one scale a token: codes = round(x * scale), and their sums.
  [[nodiscard]] const float* scales() const { return scales_.data(); }
  [[nodiscard]] const std::int32_t* sums() const { return sums_.data(); }
  /// Of int8_taken and int4_taken: what is not zero of column c, and how much that is of all columns.
  [[nodiscard]] const kernels::TakenColumns& taken(std::int64_t c) const { return taken_[static_cast<std::size_t>(c)]; }
  [[nodiscard]] std::int64_t n_taken() const;

 private:
  const kernels::Kernels* kernels_ = nullptr;
  const float* x_ = nullptr;
  std::size_t x_stride_ = 0;
  std::int64_t in_runs_ = 0;  // of the forms with tables: the first columns, which are done in runs and need none
  InputForm form_ = InputForm::f32;
  std::int64_t n_cols_ = 0;
  std::int64_t k_ = 0;
  const void* data_ = nullptr;
  std::size_t column_bytes_ = 0;
  AlignedBuffer storage_;
  std::vector<float> scales_;
  std::vector<std::int32_t> sums_;
  std::vector<kernels::TakenColumns> taken_;
};

}  // namespace tern::ops
