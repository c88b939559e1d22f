// Row orders and ternary rows.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "convert/row_order.hpp"
#include "convert/ternary_rows.hpp"

namespace tern::convert {
namespace {

using Rows = models::TensorName::Rows;

TEST(RowOrder, PutsTheTwoHalvesOfEachHeadSideBySide) {
  // A head of eight rows: pairs (0,4) (1,5) (2,6) (3,7) become neighbours; the second head likewise, from row 8 on.
  const std::vector<std::int64_t> expected{0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
  for (std::int64_t row = 0; row < 16; ++row) {
    EXPECT_EQ(source_row(Rows::paired_query, row, 8), expected[static_cast<std::size_t>(row)]);
    EXPECT_EQ(source_row(Rows::paired_key, row, 8), expected[static_cast<std::size_t>(row)]);
    EXPECT_EQ(source_row(Rows::as_stored, row, 8), row);
  }
}

TEST(RowOrder, IsAPermutationWithinEachHead) {
  for (const std::int64_t head_dim : {2, 4, 64, 80, 128}) {
    std::set<std::int64_t> seen;
    for (std::int64_t row = 0; row < 3 * head_dim; ++row) {
      const std::int64_t source = source_row(Rows::paired_query, row, head_dim);
      EXPECT_EQ(source / head_dim, row / head_dim);
      // Its inverse by the definition: row i + j d/2 of a head goes to 2 i + j.
      const std::int64_t within = source % head_dim;
      EXPECT_EQ(row % head_dim, 2 * (within % (head_dim / 2)) + within / (head_dim / 2));
      seen.insert(source);
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(3 * head_dim));
  }
}

files::StoredTensor tensor_of(files::Dtype dtype, std::vector<std::int64_t> shape, std::span<const std::byte> bytes) {
  return {.name = "w", .dtype = dtype, .shape = std::move(shape), .bytes = bytes};
}

TEST(TernaryRows, UnpackFourRowsFromABytesPairsOfBits) {
  // Two byte rows of three columns are eight logical rows: 0 and 4.. at bits 0-1 of byte rows 0 and 1, and so on.
  const std::vector<std::uint8_t> bytes{0b10'01'00'10, 0b00'00'00'00, 0b01'01'01'01,
                                        0b00'01'10'00, 0b10'10'10'10, 0b01'00'10'01};
  const auto tensor = tensor_of(files::Dtype::u8, {2, 3}, std::as_bytes(std::span(bytes)));
  const auto row = [&](std::int64_t r) {
    std::vector<float> out(3);
    EXPECT_TRUE(unpack_ternary_row(tensor, r, 0.5F, out).has_value());
    return out;
  };
  using Row = std::vector<float>;
  EXPECT_EQ(row(0), (Row{0.5F, -0.5F, 0.0F}));
  EXPECT_EQ(row(1), (Row{-0.5F, 0.5F, 0.0F}));
  EXPECT_EQ(row(2), (Row{-0.5F, -0.5F, 0.0F}));
  EXPECT_EQ(row(3), (Row{0.5F, 0.5F, 0.5F}));
  EXPECT_EQ(row(6), (Row{0.5F, -0.5F, 0.0F}));
  EXPECT_EQ(row(7), (Row{-0.5F, 0.5F, 0.0F}));
}

TEST(TernaryRows, TheCodeThreeIsRefusedWithItsPlace) {
  const std::vector<std::uint8_t> bytes{0b01'01'01'01, 0b01'11'01'01};
  const auto tensor = tensor_of(files::Dtype::u8, {1, 2}, std::as_bytes(std::span(bytes)));
  std::vector<float> out(2);
  EXPECT_TRUE(unpack_ternary_row(tensor, 1, 1.0F, out).has_value());
  const auto refused = unpack_ternary_row(tensor, 2, 1.0F, out);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("w: row 2, column 1 holds the ternary code 3"))
      << refused.error().message;
}

TEST(TernaryRows, MastersAreRoundedByTheirMeanMagnitudeTiesToEven) {
  const std::vector<float> masters{1.0F, -3.0F, 0.5F, -0.5F, 2.0F, 0.0F, 0.0F, 1.0F};  // mean |w| = 1
  const auto tensor = tensor_of(files::Dtype::f32, {2, 4}, std::as_bytes(std::span(masters)));
  const float scale = absmean(tensor).value();
  EXPECT_EQ(scale, 1.0F);
  std::vector<float> row(masters.begin(), masters.end());
  row.push_back(1.5F);
  row.push_back(std::nextafter(0.5F, 1.0F));
  ternarise(row, scale);
  EXPECT_EQ(row, (std::vector<float>{1, -1, 0, 0, 1, 0, 0, 1, 1, 1}));
  std::vector<float> scaled{0.3F, -0.9F, 0.1F};
  ternarise(scaled, 0.25F);
  EXPECT_EQ(scaled, (std::vector<float>{0.25F, -0.25F, 0.0F}));
}

TEST(TernaryRows, ATensorOfZerosHasTheLeastScaleAndNanIsRefused) {
  const std::vector<float> zeros(8, 0.0F);
  EXPECT_EQ(absmean(tensor_of(files::Dtype::f32, {2, 4}, std::as_bytes(std::span(zeros)))).value(), 1e-5F);
  std::vector<float> bad(8, 1.0F);
  bad[5] = std::nanf("");
  EXPECT_EQ(absmean(tensor_of(files::Dtype::f32, {2, 4}, std::as_bytes(std::span(bad)))).error().message,
            "w: holds NaN or infinity; repair the checkpoint");
}

}  // namespace
}  // namespace tern::convert
