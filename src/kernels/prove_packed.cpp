#include "kernels/prove_packed.hpp"

#include <cstring>

#include "base/random.hpp"
#include "kernels/binary_pack.hpp"
#include "kernels/generic/set.hpp"
#include "kernels/ternary_panels.hpp"
#include "kernels/ternary_tables_layout.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::kernels {
namespace {

constexpr std::int64_t kPackedRows = 11;     // whole tiles and a rest
constexpr std::int64_t kPackedColumns = 13;  // every way of taking one to thirteen columns, two tiles of six and a rest

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

}  // namespace

Proof prove_ternary(const KernelSet& set) {
  constexpr std::int64_t kWide = 8192;
  Random random(13);
  AlignedBuffer w(kPackedRows * kWide / 4);
  AlignedBuffer x(kPackedColumns * kWide);
  bool same = true;
  for (int round = 0; round < 10; ++round) {
    for (std::byte& b : w.bytes()) b = ternary_byte(round, random);
    std::vector<std::int32_t> sums(kPackedColumns);
    for (std::int64_t i = 0; i < kPackedColumns * kWide; ++i) {
      x.as<std::int8_t>()[i] = activation(round, random);
      sums[static_cast<std::size_t>(i / kWide)] += x.as<std::int8_t>()[i];
    }
    for (std::int64_t n_cols = 1; n_cols <= kPackedColumns; ++n_cols) {
      std::vector<std::int32_t> got(kPackedRows * kPackedColumns);
      std::vector<std::int32_t> expected = got;
      TernaryArgs args{.w = w.as<std::uint8_t>(),
                       .n_rows = kPackedRows,
                       .x = x.as<std::int8_t>(),
                       .x_sums = sums.data(),
                       .n_cols = n_cols,
                       .k_padded = kWide,
                       .y = got.data(),
                       .y_stride = kPackedRows};
      set.ternary(args);
      args.y = expected.data();
      generic::scalar_set()->ternary(args);
      same = same && got == expected;
    }
  }
  return identical(fmt::format("{} ternary x int8", set.name), same);
}

/// As prove_ternary, with all columns that are done at once and with fewer.
Proof prove_ternary_tables(const KernelSet& set) {
  constexpr std::int64_t kWide = 1280;  // several runs of 16-bit sums, and a rest
  constexpr std::int64_t kRows = 21;
  constexpr std::int64_t kMost = kTernaryTableColumns;
  Random random(14);
  AlignedBuffer w(kRows * kWide / 4);
  AlignedBuffer x(kMost * kWide);
  AlignedBuffer scratch(static_cast<std::size_t>(ternary_tables_scratch(kRows)));
  std::vector<float> scales(kMost);
  for (std::size_t c = 0; c < kMost; ++c) scales[c] = 3.0F + static_cast<float>(c);
  constexpr float kScale = 0.7F;
  bool same = true;
  for (int round = 0; round < 10; ++round) {
    for (std::byte& b : w.bytes()) b = ternary_byte(round, random);
    std::vector<std::int32_t> x_sums(kMost);
    for (std::int64_t i = 0; i < kMost * kWide; ++i) {
      x.as<std::int8_t>()[i] = activation(round, random);
      x_sums[static_cast<std::size_t>(i / kWide)] += x.as<std::int8_t>()[i];
    }
    std::vector<std::int32_t> sums(kRows * kMost);
    generic::scalar_set()->ternary({.w = w.as<std::uint8_t>(),
                                    .n_rows = kRows,
                                    .x = x.as<std::int8_t>(),
                                    .x_sums = x_sums.data(),
                                    .n_cols = kMost,
                                    .k_padded = kWide,
                                    .y = sums.data(),
                                    .y_stride = kRows});
    for (const std::int64_t n_cols : {kMost, std::int64_t{25}, std::int64_t{1}}) {
      std::vector<float> got(kRows * kMost, -1.0F);
      set.ternary_tables({.w = w.as<std::uint8_t>(),
                          .n_rows = kRows,
                          .x = x.as<std::int8_t>(),
                          .x_stride = kWide,
                          .x_scales = scales.data(),
                          .n_cols = n_cols,
                          .k_padded = kWide,
                          .w_scale = kScale,
                          .y = got.data(),
                          .y_stride = kRows,
                          .scratch = scratch.as<char>()});
      for (std::int64_t i = 0; i < kRows * kMost; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const float wanted = static_cast<float>(sums[at]) / scales[at / kRows] * kScale;
        same = same && got[at] == (i < kRows * n_cols ? wanted : -1.0F);
      }
    }
  }
  return identical(fmt::format("{} ternary by tables x int8", set.name), same);
}

/// As prove_ternary, held against products with the same weights by rows, both with all columns and with those that are
/// taken: of extremes all are, in round 10 few that are not zero, in round 11 none.
Proof prove_ternary_panels(const KernelSet& set) {
  constexpr std::int64_t kWide = 1667;  // whole tiles, a rest, and a column that is not there
  constexpr std::int64_t kRows = kTernaryPanel - 12;
  const std::int64_t padded = ternary_padded(kWide);
  Random random(17);
  AlignedBuffer w(static_cast<std::size_t>(kRows * padded / 4));
  AlignedBuffer panel(static_cast<std::size_t>(ternary_panel_bytes(kWide)));
  AlignedBuffer x(static_cast<std::size_t>(kPackedColumns * padded));
  bool same = true;
  for (int round = 0; round < 12; ++round) {
    for (std::byte& b : w.bytes()) b = ternary_byte(round, random);
    std::vector<std::int32_t> sums(kPackedColumns);
    std::memset(x.data(), 0, x.size());
    for (std::int64_t i = 0; i < kPackedColumns * kWide; ++i) {
      const bool is_zero = round == 11 || (round == 10 && random.below(7) != 0);
      const std::int8_t value = is_zero ? std::int8_t{0} : activation(round, random);
      x.as<std::int8_t>()[i / kWide * padded + i % kWide] = value;
      sums[static_cast<std::size_t>(i / kWide)] += value;
    }
    TernaryMatrix rows;
    rows.codes = w.as<std::uint8_t>();
    rows.n_rows = kRows;
    rows.k = kWide;
    rows.k_padded = padded;
    pack_ternary_panels(rows, panel.as<std::uint8_t>());
    std::vector<std::int32_t> expected(kRows * kPackedColumns);
    generic::scalar_set()->ternary({.w = rows.codes,
                                    .n_rows = kRows,
                                    .x = x.as<std::int8_t>(),
                                    .x_sums = sums.data(),
                                    .n_cols = kPackedColumns,
                                    .k_padded = padded,
                                    .y = expected.data(),
                                    .y_stride = kRows});
    std::vector<std::int32_t> got(kTernaryPanel * kPackedColumns);
    const auto check = [&](std::int64_t column, const std::int32_t* y) {
      same = same && std::memcmp(y, expected.data() + column * kRows, kRows * sizeof(std::int32_t)) == 0;
    };
    for (std::int64_t n_cols = 1; n_cols <= kPackedColumns; ++n_cols) {
      set.ternary_panel({.w = panel.as<std::uint8_t>(),
                         .k = ternary_panel_columns(kWide),
                         .x = x.as<std::int8_t>(),
                         .x_stride = static_cast<std::size_t>(padded),
                         .x_sums = sums.data(),
                         .n_cols = n_cols,
                         .y = got.data(),
                         .y_stride = kTernaryPanel});
      for (std::int64_t c = 0; c < n_cols; ++c) check(c, got.data() + c * kTernaryPanel);
    }
    TakenColumns taken;
    for (std::int64_t c = 0; c < kPackedColumns; ++c) {
      taken.take(x.as<std::int8_t>() + c * padded, kWide);
      set.ternary_taken({.w = panel.as<std::uint8_t>(),
                         .next = panel.as<std::uint8_t>(),
                         .taken = taken.columns(),
                         .codes = taken.codes(),
                         .n_taken = taken.size(),
                         .x_sum = sums[static_cast<std::size_t>(c)],
                         .y = got.data()});
      check(c, got.data());
    }
  }
  return identical(fmt::format("{} ternary by columns x int8", set.name), same);
}

/// Every combination of extreme signs and codes, then random ones.
Proof prove_binary(const KernelSet& set) {
  constexpr std::int64_t kWide = 2048;
  constexpr std::int64_t kPanels = 3;
  constexpr std::int64_t kColumns = kTernaryTableColumns + kPackedColumns;  // those that are done at once, and a rest
  Random random(16);
  AlignedBuffer w(kPanels * binary_panel_bytes(kWide));
  std::vector<std::int8_t> codes(kColumns * kWide);
  const auto table_bytes = static_cast<std::size_t>(binary_table_bytes(kWide));
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
      const std::int8_t* column = codes.data() + c * kWide;
      for (std::int64_t i = 0; i < kWide; ++i) sums[c] += column[i];
      generic::scalar_set()->binary_tables(column, kWide, tables.as<std::uint8_t>() + c * table_bytes);
      if (set.binary_tables == nullptr) continue;
      set.binary_tables(column, kWide, own_tables.as<std::uint8_t>() + c * table_bytes);
      same = same && std::memcmp(own_tables.as<std::uint8_t>() + c * table_bytes,
                                 tables.as<std::uint8_t>() + c * table_bytes, table_bytes) == 0;
    }
    for (const std::int64_t n_cols : {1, 2, 3, 4, 13, 25, 45}) {
      static_assert(kColumns == 45);
      std::vector<float> got(kPanels * kBinaryPanel * kColumns);
      std::vector<float> expected = got;
      BinaryArgs args{.w = w.as<std::uint8_t>(),
                      .n_panels = kPanels,
                      .tables = tables.as<std::uint8_t>(),
                      .table_stride = table_bytes,
                      .codes = codes.data(),
                      .code_stride = kWide,
                      .x_sums = sums.data(),
                      .x_scales = scales.data(),
                      .n_cols = n_cols,
                      .k_padded = kWide,
                      .w_scale = 0.0625F,
                      .y = got.data(),
                      .y_stride = kPanels * kBinaryPanel};
      set.binary(args);
      args.y = expected.data();
      generic::scalar_set()->binary(args);
      same = same && std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0;
    }
  }
  return identical(fmt::format("{} binary x int8", set.name), same);
}

}  // namespace tern::kernels
