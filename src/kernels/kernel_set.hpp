// What an instruction-set folder provides: plain structs of plain function pointers. This header is included by files
// compiled with -mavx2 and the like, so it may hold no inline function, no template and no C++ library type: anything
// shared that is compiled there could be picked by the linker for machines that lack the instructions.
//
// Every function here is a pure function of its arguments, and each output's order of operations depends on its row
// length alone: one column or many, any tile, any thread give the same bits within one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tern::kernels {

/// How the activations beside a weight matrix are laid out (one column = one token).
enum class Activation : std::uint8_t {
  f32,   // float [k]
  q8_0,  // k/32 blocks {fp16 d; int8 q[32]}            formats/q8_0.hpp
  q8_k,  // k/256 blocks {float d; int8 q[256]; int16 sums of 16}  formats/q8_k.hpp
};

/// y[c * y_stride + r] = sum over k of w(r, k) * x(c, k), r in [0, n_rows), c in [0, n_cols).
struct MatmulArgs {
  const void* w;  // n_rows rows of w_row_bytes
  std::size_t w_row_bytes;
  std::int64_t n_rows;
  const void* x;  // n_cols columns of x_col_bytes, 64-byte aligned columns
  std::size_t x_col_bytes;
  std::int64_t n_cols;
  std::int64_t k;
  float* y;
  std::size_t y_stride;  // floats between the outputs of two columns
};
using MatmulFn = void (*)(const MatmulArgs&);

/// Exact integer product with ternary weights in the packed layout of kernels/ternary_pack.hpp:
/// y[c * y_stride + r] = sum over k of (code(r, k) - 1) * x(c, k), the same bits on every instruction set.
struct TernaryArgs {
  const std::uint8_t* w;  // n_rows rows of k_padded / 4 bytes
  std::int64_t n_rows;
  const std::int8_t* x;        // n_cols columns of k_padded codes, zero beyond k; 64-byte aligned columns
  const std::int32_t* x_sums;  // [n_cols] sum of each column's codes
  std::int64_t n_cols;
  std::int64_t k_padded;  // a multiple of 128, at most 2^22: sums fit into 32 bits
  std::int32_t* y;
  std::size_t y_stride;
};
using TernaryFn = void (*)(const TernaryArgs&);

/// The same product for some columns at once, whose sums of four activations are looked up, and scaled:
/// y[c * y_stride + r] = float(sum over k of (code(r, k) - 1) * x(c, k)) / x_scales[c] * w_scale.
struct TernaryTablesArgs {
  const std::uint8_t* w;  // n_rows rows of k_padded / 4 bytes
  std::int64_t n_rows;
  const std::int8_t* x;   // n_cols columns of k_padded codes, zero beyond k
  std::size_t x_stride;   // bytes between them
  const float* x_scales;  // [n_cols]
  std::int64_t n_cols;    // 1 to kSumColumns: fewer take as long as all
  std::int64_t k_padded;  // a multiple of 128, at most 2^22
  float w_scale;
  float* y;
  std::size_t y_stride;
  char* scratch;  // sum_tables_scratch(n_rows) bytes, on a cache line (kernels/sum_tables_layout.hpp)
};
using TernaryTablesFn = void (*)(const TernaryTablesArgs&);

/// The same product with the weights by columns, in the layout of kernels/ternary_panels.hpp.
struct TernaryPanelArgs {
  const std::uint8_t* w;       // a panel of 256 rows
  std::int64_t k;              // its columns: a multiple of 4, at most 2^22
  const std::int8_t* x;        // n_cols columns of at least k codes, zero beyond the input's own
  std::size_t x_stride;        // bytes between them
  const std::int32_t* x_sums;  // [n_cols] sum of each column's codes
  std::int64_t n_cols;
  std::int32_t* y;  // [n_cols][256]
  std::size_t y_stride;
};
using TernaryPanelFn = void (*)(const TernaryPanelArgs&);

/// The same for one column of the input, of which the codes that are not zero are known.
struct TernaryTakenArgs {
  const std::uint8_t* w;       // a panel of 256 rows
  const std::uint8_t* next;    // the panel that comes next, perhaps the same: nothing of it is used but to fetch ahead
  const std::uint32_t* taken;  // n_taken columns, a multiple of 4; behind them 64 that `next` begins with
  const std::int8_t* codes;    // [n_taken] of these columns; where they were filled up: 0
  std::int64_t n_taken;
  std::int32_t x_sum;
  std::int32_t* y;  // [256]
};
using TernaryTakenFn = void (*)(const TernaryTakenArgs&);

/// Product by look-up with binary weights in the packed layout of kernels/binary_pack.hpp, its sums exact:
/// y[c * y_stride + r] = float(sum over k of (+ or -) x(c, k)) / x_scales[c] * w_scale, the same bits on every
/// instruction set.
struct BinaryArgs {
  const std::uint8_t* w;  // n_panels panels of 32 rows
  std::int64_t n_panels;
  // n_cols columns, as BinaryTablesFn makes them, table_stride bytes apart. Of the columns_in_runs() nothing is read.
  const std::uint8_t* tables;
  std::size_t table_stride;
  const std::int8_t* codes;  // what they were made from: n_cols columns of k_padded codes, code_stride bytes apart
  std::size_t code_stride;
  const std::int32_t* x_sums;  // [n_cols] sum of each column's codes
  const float* x_scales;       // [n_cols]
  std::int64_t n_cols;
  std::int64_t k_padded;  // a multiple of 32
  float w_scale;
  float* y;  // 32 * n_panels rows
  std::size_t y_stride;
};
using BinaryFn = void (*)(const BinaryArgs&);
/// The tables of one column of codes, zero beyond k: k_padded / 4 times 32 bytes.
using BinaryTablesFn = void (*)(const std::int8_t* codes, std::int64_t k_padded, std::uint8_t* tables);

/// Rows of a cache of keys or values, n_rows of them row_bytes apart, as floats: row i to out + i * out_stride, with
/// zeros from element n to the stride. Whatever the bytes are, the result is what the format says they mean.
using LoadRowsFn = void (*)(const void* rows, std::size_t row_bytes, std::int64_t n_rows, std::int64_t n,
                            std::int64_t out_stride, float* out);
/// One row of n floats into a cache. A value that the format cannot hold (NaN, or beyond fp16) is read back as one that
/// is not finite, and may take its block with it.
using StoreRowFn = void (*)(const float* x, std::int64_t n, void* row);

/// Several queries against one key/value head of one sequence: the query heads that share it, of neighbouring tokens.
/// For each query r, over the positions [first[r], end[r]):
/// out[r] = softmax(scale * q[r] K^T [soft-capped]) V. Pages hold page_positions consecutive positions; the result
/// depends on where pages end, and on nothing else but the query and what it sees: not on its neighbours.
struct AttendArgs {
  const float* const* q;  // n_queries times [head_dim]
  float* const* out;      // n_queries times [head_dim]
  std::int64_t n_queries;
  const std::int64_t* first;   // [n_queries] the first position that is seen: sliding windows
  const std::int64_t* end;     // [n_queries] last position + 1, above first
  const void* const* k_pages;  // page p: rows of positions p * page_positions ...
  const void* const* v_pages;
  LoadRowsFn load_keys;
  LoadRowsFn load_values;
  bool k_halves;  // rows are fp16 numbers: they may be read without load_keys
  bool v_halves;
  std::size_t k_row_bytes;
  std::size_t v_row_bytes;
  std::int64_t page_positions;  // a multiple of 8
  std::int64_t head_dim;
  float scale;
  float soft_cap;  // 0: none; otherwise scores are cap * tanh(score / cap)
  float* scratch;  // attend_scratch() floats
};
using AttendFn = void (*)(const AttendArgs&);

/// Rounds one column to int8 per token as BitNet does: s = 127 * (1 / max(|x|max, 1e-5)), q = clamp(rint(x * s), -128,
/// 127), ties to even. Returns s; *sum gets the sum of the codes.
using QuantizeTokenFn = float (*)(const float* x, std::int64_t n, std::int8_t* q, std::int32_t* sum);
/// Rounds one column into the blocks of an Activation; bytes equal the encoders of room formats.
using QuantizeBlocksFn = void (*)(const float* x, std::int64_t n, void* blocks);
/// y = x / sqrt(mean(x^2) + eps) * weight (weight may be null: ones).
using RmsNormFn = void (*)(const float* x, const float* weight, std::int64_t n, float eps, float* y);
/// y = act(gate) * up, elementwise; up may be null (plain activation).
using GluFn = void (*)(const float* gate, const float* up, std::int64_t n, float* y);

/// A matmul kernel of one weight format, named as in formats/all.hpp. `peak`: the instructions that do its
/// multiply-adds, named as bench/limits names the quantity they are measured by ("maddubs32").
struct MatmulSlot {
  const char* weight;
  Activation activation;
  MatmulFn run;
  const char* peak;
};

/// How one format is kept in a cache of keys or values; named as in formats/all.hpp. What is null comes from a set
/// below.
struct CacheSlot {
  const char* format;
  StoreRowFn store;
  LoadRowsFn load;
  bool halves;  // rows are fp16 numbers: AttendArgs::k_halves and v_halves
};

inline constexpr std::int64_t kNever = INT64_MAX;

/// Products with many columns that look sums of activations up instead of multiplying (kernels/sum_tables_layout.hpp).
struct SumTables {
  std::int64_t from = 0;       // columns from which on they are the faster way; 0: there are none
  const char* peak = nullptr;  // as MatmulSlot::peak
  int products = 0;            // multiply-adds that one operation of `peak` stands for
};

/// A sparse set: what is null or absent falls back to the next set down the chain, at last to generic.
struct KernelSet {
  const char* name;
  const MatmulSlot* matmuls = nullptr;
  std::int64_t n_matmuls = 0;
  TernaryFn ternary = nullptr;
  const char* ternary_peak = nullptr;  // as MatmulSlot::peak; null where no limit is known
  /// For prompts, in a set whose `ternary` is slower; null: none. A set whose own is the faster one says kNever, and
  /// takes none from a set below.
  TernaryTablesFn ternary_tables = nullptr;
  SumTables ternary_sums = {};
  TernaryPanelFn ternary_panel = nullptr;
  const char* ternary_panel_peak = nullptr;
  TernaryTakenFn ternary_taken = nullptr;
  double ternary_taken_below = 0.0;  // the share of codes that are not zero below which ternary_taken is the faster one
  BinaryFn binary = nullptr;
  BinaryTablesFn binary_tables = nullptr;
  const char* binary_peak = nullptr;
  int binary_products = 0;     // multiply-adds that one operation of binary_peak stands for
  SumTables binary_sums = {};  // how `binary` does many columns
  const CacheSlot* caches = nullptr;
  std::int64_t n_caches = 0;
  AttendFn attend = nullptr;
  QuantizeTokenFn quantize_token = nullptr;
  QuantizeBlocksFn quantize_q8_0 = nullptr;
  QuantizeBlocksFn quantize_q8_k = nullptr;
  RmsNormFn rms_norm = nullptr;
  GluFn silu_glu = nullptr;
  GluFn relu2_glu = nullptr;
  GluFn gelu_glu = nullptr;
};

}  // namespace tern::kernels
