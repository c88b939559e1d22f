// Ternary weights by columns: every code in its place, and the list of what an input takes.
#include "kernels/ternary_panels.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace tern::kernels {
namespace {

struct Codes {
  std::vector<int> all;              // [n_rows][k]
  std::vector<std::uint8_t> packed;  // by rows
  TernaryMatrix matrix;
};

Codes random_codes(std::int64_t n_rows, std::int64_t k) {
  Codes out;
  Random random(static_cast<std::uint64_t>(n_rows * 1000 + k));
  out.matrix.n_rows = n_rows;
  out.matrix.k = k;
  out.matrix.k_padded = ternary_padded(k);
  out.packed.assign(static_cast<std::size_t>(n_rows * out.matrix.k_padded / 4), 0x55);
  for (std::int64_t r = 0; r < n_rows; ++r) {
    for (std::int64_t i = 0; i < k; ++i) {
      const auto code = static_cast<int>(random.below(3));
      out.all.push_back(code);
      std::uint8_t& byte = out.packed[static_cast<std::size_t>(r * out.matrix.k_padded / 4 + i / 128 * 32 + i % 32)];
      const std::int64_t shift = 6 - 2 * (i % 128 / 32);
      byte = static_cast<std::uint8_t>((byte & ~(3 << shift)) | code << shift);
    }
  }
  out.matrix.codes = out.packed.data();
  return out;
}

TEST(TernaryPanels, HoldEveryCodeAndZerosAroundThem) {
  for (const auto& [n_rows, k] : {std::pair<std::int64_t, std::int64_t>{256, 128}, {1, 1}, {300, 130}, {512, 7}}) {
    const Codes codes = random_codes(n_rows, k);
    AlignedBuffer panels(static_cast<std::size_t>(ternary_panels(n_rows) * ternary_panel_bytes(k)));
    pack_ternary_panels(codes.matrix, panels.as<std::uint8_t>());
    const std::int64_t n_columns = ternary_panel_columns(k);
    EXPECT_EQ(n_columns % 4, 0);
    for (std::int64_t panel = 0; panel < ternary_panels(n_rows); ++panel) {
      for (std::int64_t column = 0; column < n_columns; ++column) {
        for (std::int64_t byte = 0; byte < 64; ++byte) {
          const auto value = static_cast<int>(panels.bytes()[static_cast<std::size_t>(
              panel * ternary_panel_bytes(k) + column * kTernaryPanelColumn + byte)]);
          const std::int64_t l = byte / 16;
          const std::int64_t m = byte % 16 / 4;
          const std::int64_t i = byte % 4;
          for (std::int64_t part = 0; part < 4; ++part) {
            const std::int64_t row = panel * 256 + part * 64 + 16 * m + 4 * l + i;
            const bool is_there = row < n_rows && column < k;
            const int expected = is_there ? codes.all[static_cast<std::size_t>(row * k + column)] : 1;
            ASSERT_EQ(value >> (6 - 2 * part) & 3, expected) << "row " << row << " column " << column;
          }
        }
      }
    }
  }
}

TEST(TakenColumns, AreThoseThatAreNotZeroInOrder) {
  const std::vector<std::int8_t> codes{0, 5, 0, -128, 0, 0, 127, 1, 0, -1, 0, 0};
  TakenColumns taken;
  taken.take(codes.data(), 11);
  ASSERT_EQ(taken.size(), 8) << "five, filled up to a multiple of four";
  EXPECT_EQ(std::vector<std::uint32_t>(taken.columns(), taken.columns() + 5),
            (std::vector<std::uint32_t>{1, 3, 6, 7, 9}));
  EXPECT_EQ(std::vector<std::int8_t>(taken.codes(), taken.codes() + 8),
            (std::vector<std::int8_t>{5, -128, 127, 1, -1, 0, 0, 0}));
  for (int i = 0; i < 8 + kTernaryPanelAhead; ++i) EXPECT_LT(taken.columns()[i], 12U) << "something is fetched there";
}

TEST(TakenColumns, OfZerosAreNoneAndOfTheNextInputItsOwn) {
  const std::vector<std::int8_t> zeros(40, 0);
  const std::vector<std::int8_t> ones(40, 1);
  TakenColumns taken;
  taken.take(ones.data(), 37);
  EXPECT_EQ(taken.size(), 40);
  EXPECT_EQ(taken.codes()[36], 1);
  EXPECT_EQ(taken.codes()[37], 0);
  taken.take(zeros.data(), 37);
  EXPECT_EQ(taken.size(), 0);
  for (int i = 0; i < kTernaryPanelAhead; ++i) EXPECT_EQ(taken.columns()[i], 0U);
}

}  // namespace
}  // namespace tern::kernels
