#include "kernels/prove_packed.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <span>

#include "base/random.hpp"
#include "kernels/binary_pack.hpp"
#include "kernels/generic/set.hpp"
#include "kernels/sum_tables_layout.hpp"
#include "kernels/ternary_panels.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::kernels {
namespace {

constexpr std::int64_t kPackedRows = 11;     // whole tiles and a rest
constexpr std::int64_t kPackedColumns = 13;  // every way of taking one to thirteen columns, two tiles of six and a rest
constexpr std::int64_t kWideColumns = 1667;  // of panels
/// Of tiles of sixteen rows and columns: one, one and a rest, two, three and a rest.
constexpr std::int64_t kTiledRows = 53;
constexpr std::array<std::int64_t, 4> kTiledColumns = {16, 19, 32, 51};

/// Rounds 0 to 8 of a proof have every combination of extreme codes and activations, what wraps 16-bit sums that are
/// widened late; later ones random numbers.
constexpr int kExtremeRounds = 9;

std::byte ternary_byte(int round, Random& random) {
  if (round < kExtremeRounds) return static_cast<std::byte>(round % 3 * 0x55);
  return static_cast<std::byte>(random.below(3) * 64 + random.below(3) * 16 + random.below(3) * 4 + random.below(3));
}

std::int8_t activation(int round, Random& random) {
  if (round >= kExtremeRounds) return static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
  return static_cast<std::int8_t>(round / 3 == 0 ? 127 : round / 3 == 1 ? -127 : -128);
}

/// What ternary products are proven with: codes of weights [n_rows, k_padded], columns of activations, k of them
/// that are not padding, and their sums.
class TernaryOperands {
 public:
  TernaryOperands(std::int64_t n_rows, std::int64_t n_cols, std::int64_t k, std::uint64_t seed)
      : n_rows_(n_rows),
        n_cols_(n_cols),
        k_(k),
        padded_(ternary_padded(k)),
        random_(seed),
        w_(static_cast<std::size_t>(n_rows * padded_ / 4)),
        x_(static_cast<std::size_t>(n_cols * padded_)),
        x_sums_(static_cast<std::size_t>(n_cols)) {}

  /// In round 10 few activations are not zero, in round 11 none.
  void fill(int round) {
    for (std::byte& b : w_.bytes()) b = ternary_byte(round, random_);
    std::memset(x_.data(), 0, x_.size());
    for (std::int64_t c = 0; c < n_cols_; ++c) {
      std::int32_t sum = 0;
      for (std::int64_t i = 0; i < k_; ++i) {
        const bool is_zero = round == 11 || (round == 10 && random_.below(7) != 0);
        const std::int8_t value = is_zero ? std::int8_t{0} : activation(round, random_);
        x_.as<std::int8_t>()[c * padded_ + i] = value;
        sum += value;
      }
      x_sums_[static_cast<std::size_t>(c)] = sum;
    }
  }

  /// All columns by the scalar set: [n_cols][n_rows].
  [[nodiscard]] std::vector<std::int32_t> expected() const {
    std::vector<std::int32_t> y(static_cast<std::size_t>(n_rows_ * n_cols_));
    generic::scalar_set()->ternary({.w = w(),
                                    .n_rows = n_rows_,
                                    .x = x(),
                                    .x_sums = x_sums(),
                                    .n_cols = n_cols_,
                                    .k_padded = padded_,
                                    .y = y.data(),
                                    .y_stride = static_cast<std::size_t>(n_rows_)});
    return y;
  }

  [[nodiscard]] const std::uint8_t* w() const { return w_.as<std::uint8_t>(); }
  [[nodiscard]] const std::int8_t* x() const { return x_.as<std::int8_t>(); }
  [[nodiscard]] const std::int32_t* x_sums() const { return x_sums_.data(); }
  [[nodiscard]] std::int64_t k_padded() const { return padded_; }

 private:
  std::int64_t n_rows_;
  std::int64_t n_cols_;
  std::int64_t k_;
  std::int64_t padded_;
  Random random_;
  AlignedBuffer w_;
  AlignedBuffer x_;
  std::vector<std::int32_t> x_sums_;
};

/// Whether products by tables, of all columns that are done at once and of fewer, are the scalar set's.
bool same_by_tables(const KernelSet& set, std::int64_t k) {
  constexpr std::int64_t kRows = 21;
  constexpr float kScale = 0.7F;
  TernaryOperands operands(kRows, kSumColumns, k, 14);
  AlignedBuffer scratch(static_cast<std::size_t>(sum_tables_scratch(kRows)));
  std::vector<float> scales(kSumColumns);
  for (std::size_t c = 0; c < kSumColumns; ++c) scales[c] = 3.0F + static_cast<float>(c);
  bool same = true;
  for (int round = 0; round < 10; ++round) {
    operands.fill(round);
    const std::vector<std::int32_t> sums = operands.expected();
    for (const std::int64_t n_cols : {kSumColumns, std::int64_t{25}, std::int64_t{1}}) {
      std::vector<float> got(kRows * kSumColumns, -1.0F);
      set.ternary_tables({.w = operands.w(),
                          .n_rows = kRows,
                          .x = operands.x(),
                          .x_stride = static_cast<std::size_t>(operands.k_padded()),
                          .x_scales = scales.data(),
                          .n_cols = n_cols,
                          .k_padded = operands.k_padded(),
                          .w_scale = kScale,
                          .y = got.data(),
                          .y_stride = kRows,
                          .scratch = scratch.as<char>()});
      for (std::int64_t i = 0; i < kRows * kSumColumns; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const float wanted = static_cast<float>(sums[at]) / scales[at / kRows] * kScale;
        same = same && got[at] == (i < kRows * n_cols ? wanted : -1.0F);
      }
    }
  }
  return same;
}

/// 1 to kPackedColumns.
std::array<std::int64_t, kPackedColumns> few_columns() {
  std::array<std::int64_t, kPackedColumns> counts;
  std::iota(counts.begin(), counts.end(), 1);
  return counts;
}

/// Whether products with each of these numbers of columns, ascending, are the scalar set's and nothing else is written.
bool same_by_rows(const KernelSet& set, std::int64_t n_rows, std::span<const std::int64_t> column_counts) {
  const std::int64_t most_columns = column_counts.back();
  TernaryOperands operands(n_rows, most_columns, 8192 + 128, 13);
  bool same = true;
  for (int round = 0; round < 10; ++round) {
    operands.fill(round);
    const std::vector<std::int32_t> expected = operands.expected();
    for (const std::int64_t n_cols : column_counts) {
      std::vector<std::int32_t> got(static_cast<std::size_t>(n_rows * most_columns), -1);
      set.ternary({.w = operands.w(),
                   .n_rows = n_rows,
                   .x = operands.x(),
                   .x_sums = operands.x_sums(),
                   .n_cols = n_cols,
                   .k_padded = operands.k_padded(),
                   .y = got.data(),
                   .y_stride = static_cast<std::size_t>(n_rows)});
      const auto end = got.begin() + n_cols * n_rows;
      same =
          same && std::equal(got.begin(), end, expected.begin()) && std::count(end, got.end(), -1) == got.end() - end;
    }
  }
  return same;
}

/// A panel that lacks some rows, and what products with the same weights by rows give: what products by columns are
/// held against.
class PanelOperands : public TernaryOperands {
 public:
  static constexpr std::int64_t kRows = kTernaryPanel - 12;

  PanelOperands(std::int64_t k, std::int64_t n_cols)
      : TernaryOperands(kRows, n_cols, k, 17), k_(k), panel_(static_cast<std::size_t>(ternary_panel_bytes(k))) {}

  void fill(int round) {
    TernaryOperands::fill(round);
    TernaryMatrix rows;
    rows.codes = w();
    rows.n_rows = kRows;
    rows.k = k_;
    rows.k_padded = k_padded();
    pack_ternary_panels(rows, panel_.as<std::uint8_t>());
    expected_ = expected();
  }

  [[nodiscard]] const std::uint8_t* panel() const { return panel_.as<std::uint8_t>(); }
  [[nodiscard]] bool same(std::int64_t column, const std::int32_t* y) const {
    return std::memcmp(y, expected_.data() + column * kRows, kRows * sizeof(std::int32_t)) == 0;
  }

 private:
  std::int64_t k_;
  AlignedBuffer panel_;
  std::vector<std::int32_t> expected_;
};

/// Of k columns, with each of these numbers of columns of the input, ascending.
bool same_by_panels(const KernelSet& set, std::int64_t k, std::span<const std::int64_t> column_counts) {
  PanelOperands operands(k, column_counts.back());
  bool same = true;
  for (int round = 0; round < 12; ++round) {
    operands.fill(round);
    std::vector<std::int32_t> got(static_cast<std::size_t>(kTernaryPanel * column_counts.back()));
    for (const std::int64_t n_cols : column_counts) {
      set.ternary_panel({.w = operands.panel(),
                         .k = ternary_panel_columns(k),
                         .x = operands.x(),
                         .x_stride = static_cast<std::size_t>(operands.k_padded()),
                         .x_sums = operands.x_sums(),
                         .n_cols = n_cols,
                         .y = got.data(),
                         .y_stride = kTernaryPanel});
      for (std::int64_t c = 0; c < n_cols; ++c) same = same && operands.same(c, got.data() + c * kTernaryPanel);
    }
  }
  return same;
}

}  // namespace

Proof prove_ternary(const KernelSet& set) {
  return identical(fmt::format("{} ternary x int8", set.name),
                   same_by_rows(set, kPackedRows, few_columns()) && same_by_rows(set, kTiledRows, kTiledColumns));
}

/// As prove_ternary: of less than a run of 16-bit sums, of one and a rest, and of several.
Proof prove_ternary_tables(const KernelSet& set) {
  return identical(fmt::format("{} ternary by tables x int8", set.name),
                   same_by_tables(set, 128) && same_by_tables(set, 256) && same_by_tables(set, 1280));
}

/// As prove_ternary: of columns that are whole tiles and a rest of them, one of which is not there, that are whole
/// tiles, and that leave a long rest.
Proof prove_ternary_panels(const KernelSet& set) {
  const auto tiled = std::span(kTiledColumns).first(2);
  return identical(fmt::format("{} ternary by columns x int8", set.name),
                   same_by_panels(set, kWideColumns, few_columns()) && same_by_panels(set, kWideColumns, tiled) &&
                       same_by_panels(set, 320, tiled) && same_by_panels(set, 316, tiled));
}

/// Of extremes all columns are taken, in round 10 few, in round 11 none.
Proof prove_ternary_taken(const KernelSet& set) {
  PanelOperands operands(kWideColumns, kPackedColumns);
  TakenColumns taken;
  bool same = true;
  for (int round = 0; round < 12; ++round) {
    operands.fill(round);
    for (std::int64_t c = 0; c < kPackedColumns; ++c) {
      std::array<std::int32_t, kTernaryPanel> got;
      taken.take(operands.x() + c * operands.k_padded(), kWideColumns);
      set.ternary_taken({.w = operands.panel(),
                         .next = operands.panel(),
                         .taken = taken.columns(),
                         .codes = taken.codes(),
                         .n_taken = taken.size(),
                         .x_sum = operands.x_sums()[c],
                         .y = got.data()});
      same = same && operands.same(c, got.data());
    }
  }
  return identical(fmt::format("{} ternary by columns that are not zero x int8", set.name), same);
}

namespace {

/// Every combination of extreme signs and codes, then random ones.
bool same_binary(const KernelSet& set, std::int64_t k, std::int64_t n_panels) {
  constexpr std::int64_t kColumns = kSumColumns + kPackedColumns;  // those that are done at once, and a rest
  Random random(16);
  AlignedBuffer w(static_cast<std::size_t>(n_panels * binary_panel_bytes(k)));
  std::vector<std::int8_t> codes(static_cast<std::size_t>(kColumns * k));
  const auto table_bytes = static_cast<std::size_t>(binary_table_bytes(k));
  AlignedBuffer tables(table_bytes * kColumns);
  AlignedBuffer own_tables(tables.size());  // of the set, where it makes them
  const std::vector<float> scales(kColumns, 3.0F);
  bool same = true;
  for (int round = 0; round < 7; ++round) {
    const int activation = round % 3 == 0 ? 127 : round % 3 == 1 ? -127 : -128;
    for (std::byte& b : w.bytes())
      b = static_cast<std::byte>(round == 6 ? static_cast<int>(random.below(256)) : round < 3 ? 0 : 255);
    for (std::int8_t& code : codes)
      code = static_cast<std::int8_t>(round == 6 ? static_cast<int>(random.below(256)) - 128 : activation);
    std::vector<std::int32_t> sums(kColumns);
    for (std::size_t c = 0; c < kColumns; ++c) {
      const std::int8_t* column = codes.data() + c * static_cast<std::size_t>(k);
      for (std::int64_t i = 0; i < k; ++i) sums[c] += column[i];
      generic::scalar_set()->binary_tables(column, k, tables.as<std::uint8_t>() + c * table_bytes);
      if (set.binary_tables == nullptr) continue;
      set.binary_tables(column, k, own_tables.as<std::uint8_t>() + c * table_bytes);
      same = same && std::memcmp(own_tables.as<std::uint8_t>() + c * table_bytes,
                                 tables.as<std::uint8_t>() + c * table_bytes, table_bytes) == 0;
    }
    for (const std::int64_t n_cols : {1, 2, 3, 4, 13, 25, 45}) {
      static_assert(kColumns == 45);
      std::vector<float> got(static_cast<std::size_t>(n_panels * kBinaryPanel * kColumns));
      std::vector<float> expected = got;
      BinaryArgs args{.w = w.as<std::uint8_t>(),
                      .n_panels = n_panels,
                      .tables = tables.as<std::uint8_t>(),
                      .table_stride = table_bytes,
                      .codes = codes.data(),
                      .code_stride = static_cast<std::size_t>(k),
                      .x_sums = sums.data(),
                      .x_scales = scales.data(),
                      .n_cols = n_cols,
                      .k_padded = k,
                      .w_scale = 0.0625F,
                      .y = got.data(),
                      .y_stride = static_cast<std::size_t>(n_panels * kBinaryPanel)};
      set.binary(args);
      args.y = expected.data();
      generic::scalar_set()->binary(args);
      same = same && std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0;
    }
  }
  return same;
}

}  // namespace

/// Of some panels, and of more than are done at once with a word of weights that is not whole.
Proof prove_binary(const KernelSet& set) {
  return identical(fmt::format("{} binary x int8", set.name), same_binary(set, 2048, 3) && same_binary(set, 352, 17));
}

}  // namespace tern::kernels
