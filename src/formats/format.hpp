// What a weight format is: a record of constants and functions, one per format, listed in formats/all.hpp.
//
// A format says what bytes in a file mean; it is frozen and the same on every machine. How values are chosen for it is
// a method (room quant); how a kernel wants them in memory is a packed layout (room kernels). Neither is here.
//
// A tensor is rows of `row_length` values. Each row is row_length / block_values blocks of block_bytes bytes; after the
// last row come tail_bytes bytes that belong to the whole tensor (only I2_S has them: its one scale).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace tern::formats {

/// What a kernel for this weight format eats beside it when the model has no activation policy of its own:
/// the reference library's partner formats. int8_token is I2_S's: one absmax scale a token (formats/token_codes.hpp).
enum class Partner : std::uint8_t { f32, q8_0, q8_k, int8_token };

/// Why a row could not be encoded.
struct EncodeIssue {
  enum class Kind : std::uint8_t { none, not_finite, scale_overflows_fp16, not_ternary };
  Kind kind = Kind::none;
  std::int64_t column = 0;
  float value = 0.0F;
  [[nodiscard]] explicit operator bool() const { return kind != Kind::none; }
};

/// A scale shared by the whole tensor, stored in its tail. Pass one observes every row, pass two encodes with the
/// result.
class TensorScaleScan {
 public:
  virtual ~TensorScaleScan() = default;
  /// `row` [row_length] float32. The first issue (NaN, Inf) is returned and nothing more need be observed.
  virtual EncodeIssue observe(std::span<const float> row) = 0;
  /// The tensor's scale, or why the format cannot hold these values ("I2_S holds only ...").
  [[nodiscard]] virtual Result<float> finish() const = 0;
};

struct TensorScaleRule {
  /// A fresh scan; the caller owns it.
  TensorScaleScan* (*new_scan)();
  /// Writes / reads the tail (tail_bytes bytes). Reading refuses a tail that contradicts itself or is not finite.
  void (*write_tail)(float scale, std::byte* tail);
  Result<float> (*read_tail)(const std::byte* tail);
};

struct Format {
  std::string_view name;     // upstream spelling: "Q4_K"
  std::string_view summary;  // one line for help and docs
  std::uint32_t gguf_id;     // tensor type number in GGUF (ids clash between forks: see identify() in all.hpp)
  std::int32_t file_type;    // general.file_type of a file made mostly of this format; -1 where none is defined
  std::int32_t block_values;
  std::int32_t block_bytes;
  std::int32_t tail_bytes = 0;
  Partner partner = Partner::f32;
  bool is_float = false;    // F32, F16, BF16: values, not codes
  bool is_ternary = false;  // the codes are exactly -s, 0 and +s (Q2_0 has a fourth, Q1_0 no zero)
  bool is_binary = false;   // the codes are exactly -s and +s
  const TensorScaleRule* tensor_scale = nullptr;
  /// Encodes one row [n] (n % block_values == 0) into n / block_values blocks. Refuses NaN, Inf and scales that
  /// overflow fp16 (the bytes written are then unspecified). `tensor_scale` is ignored unless the format has a
  /// TensorScaleRule.
  EncodeIssue (*encode_row)(const float* values, std::int64_t n, float tensor_scale, std::byte* blocks);
  /// Decodes one row of n values. Every byte pattern decodes to something; valid_row says whether it is legal.
  void (*decode_row)(const std::byte* blocks, std::int64_t n, float tensor_scale, float* values);
  /// False if the row holds a code the format does not define or a scale that is NaN or infinite. Never null.
  bool (*valid_row)(const std::byte* blocks, std::int64_t n);
  /// Root mean square error of encode-decode on standard normal rows, upper bound (measured, with a margin): a test
  /// budget.
  float rmse_budget;

  [[nodiscard]] double bits_per_weight() const {
    return 8.0 * static_cast<double>(block_bytes) / static_cast<double>(block_values);
  }
  [[nodiscard]] bool fits_row(std::int64_t row_length) const { return row_length % block_values == 0; }
  /// Bytes of one row. Requires fits_row(row_length) and a row_length that came through Shape::make.
  [[nodiscard]] std::int64_t row_bytes(std::int64_t row_length) const {
    return row_length / block_values * block_bytes;
  }
};

/// Bytes of a whole tensor with its tail; an error if the row does not divide or the size overflows.
[[nodiscard]] Result<std::uint64_t> tensor_bytes(const Format& format, const Shape& shape);

/// "NaN at row 3, column 17 ..." for an issue met while encoding.
[[nodiscard]] Error describe(const EncodeIssue& issue, const Format& format, std::string_view tensor_name,
                             std::int64_t row);

/// Encodes a whole tensor held in memory: `values` [n_rows * row_length] -> `out` [tensor_bytes]. The slow, obvious
/// way, single-threaded; quant/ streams and threads. Errors name tensor and row.
[[nodiscard]] Result<void> encode_tensor(const Format& format, std::string_view tensor_name, const Shape& shape,
                                         std::span<const float> values, std::span<std::byte> out);

/// The tensor's own scale from its tail (1 for formats without one).
[[nodiscard]] Result<float> read_tensor_scale(const Format& format, const Shape& shape,
                                              std::span<const std::byte> bytes);

/// Decodes rows [first_row, first_row + n_rows) into `out` [n_rows * row_length].
[[nodiscard]] Result<void> decode_rows(const Format& format, const Shape& shape, std::span<const std::byte> bytes,
                                       std::int64_t first_row, std::int64_t n_rows, std::span<float> out);

}  // namespace tern::formats
