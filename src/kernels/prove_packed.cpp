#include "kernels/prove_packed.hpp"

#include <cstring>

#include "base/random.hpp"
#include "kernels/binary_pack.hpp"
#include "kernels/generic/set.hpp"
#include "kernels/ternary_panels.hpp"
#include "tensor/aligned_buffer.hpp"

namespace tern::kernels {
namespace {

constexpr std::int64_t kPackedRows = 11;     // whole tiles and a rest
constexpr std::int64_t kPackedColumns = 13;  // every way of taking one to thirteen columns, two tiles of six and a rest

}  // namespace

/// Every combination of extreme codes and activations, what wraps 16-bit sums that are widened late; then random ones.
Proof prove_ternary(const KernelSet& set) {
  constexpr std::int64_t kWide = 8192;
  Random random(13);
  AlignedBuffer w(kPackedRows * kWide / 4);
  AlignedBuffer x(kPackedColumns * kWide);
  bool same = true;
  for (int round = 0; round < 10; ++round) {
    const int code = round % 3;
    const int activation = round / 3 == 0 ? 127 : round / 3 == 1 ? -127 : -128;
    for (std::byte& b : w.bytes()) {
      const auto any = random.below(3) * 64 + random.below(3) * 16 + random.below(3) * 4 + random.below(3);
      b = static_cast<std::byte>(round == 9 ? static_cast<int>(any) : code * 0x55);
    }
    for (std::byte& b : x.bytes())
      b = static_cast<std::byte>(round == 9 ? static_cast<int>(random.below(256)) : activation);
    std::vector<std::int32_t> sums(kPackedColumns);
    for (std::int64_t i = 0; i < kPackedColumns * kWide; ++i)
      sums[static_cast<std::size_t>(i / kWide)] += x.as<std::int8_t>()[i];
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

/// As prove_ternary, held against products with the same weights by rows, both with all columns and with those that are
/// taken. Rounds 0 to 8 have extremes, so that all are, round 9 random codes, round 10 few that are not zero, 11 none.
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
    const int code = round % 3;
    const int activation = round / 3 == 0 ? 127 : round / 3 == 1 ? -127 : -128;
    for (std::byte& b : w.bytes()) {
      const auto any = random.below(3) * 64 + random.below(3) * 16 + random.below(3) * 4 + random.below(3);
      b = static_cast<std::byte>(round >= 9 ? static_cast<int>(any) : code * 0x55);
    }
    std::vector<std::int32_t> sums(kPackedColumns);
    std::memset(x.data(), 0, x.size());
    for (std::int64_t i = 0; i < kPackedColumns * kWide; ++i) {
      const bool is_zero = round == 11 || (round == 10 && random.below(7) != 0);
      const int any = static_cast<int>(random.below(256)) - 128;
      const auto value = static_cast<std::int8_t>(is_zero ? 0 : round >= 9 ? any : activation);
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
  Random random(16);
  AlignedBuffer w(kPanels * binary_panel_bytes(kWide));
  std::vector<std::int8_t> codes(kPackedColumns * kWide);
  const auto table_bytes = static_cast<std::size_t>(binary_table_bytes(kWide));
  AlignedBuffer tables(table_bytes * kPackedColumns);
  AlignedBuffer own_tables(tables.size());  // of the set, where it makes them
  const std::vector<float> scales(kPackedColumns, 3.0F);
  bool same = true;
  for (int round = 0; round < 7; ++round) {
    const int activation = round % 3 == 0 ? 127 : round % 3 == 1 ? -127 : -128;
    for (std::byte& b : w.bytes())
      b = static_cast<std::byte>(round == 6 ? static_cast<int>(random.below(256)) : round < 3 ? 0 : 255);
    for (std::int8_t& code : codes)
      code = static_cast<std::int8_t>(round == 6 ? static_cast<int>(random.below(256)) - 128 : activation);
    std::vector<std::int32_t> sums(kPackedColumns);
    for (std::size_t c = 0; c < kPackedColumns; ++c) {
      const std::int8_t* column = codes.data() + c * kWide;
      for (std::int64_t i = 0; i < kWide; ++i) sums[c] += column[i];
      generic::scalar_set()->binary_tables(column, kWide, tables.as<std::uint8_t>() + c * table_bytes);
      if (set.binary_tables == nullptr) continue;
      set.binary_tables(column, kWide, own_tables.as<std::uint8_t>() + c * table_bytes);
      same = same && std::memcmp(own_tables.as<std::uint8_t>() + c * table_bytes,
                                 tables.as<std::uint8_t>() + c * table_bytes, table_bytes) == 0;
    }
    for (std::int64_t n_cols = 1; n_cols <= kPackedColumns; n_cols += n_cols < 4 ? 1 : 9) {
      std::vector<float> got(kPanels * kBinaryPanel * kPackedColumns);
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
