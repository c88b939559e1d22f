// Shapes whose numbers come from files, and the aligned buffer.
#include <gtest/gtest.h>

#include <limits>

#include "tensor/aligned_buffer.hpp"
#include "tensor/shape.hpp"

namespace tern {
namespace {

using Extents = std::vector<std::int64_t>;

TEST(Shape, KeepsItsExtentsAndCounts) {
  const Shape shape = Shape::make(Extents{5, 7, 2}).value();
  EXPECT_EQ(shape.row_length(), 5);
  EXPECT_EQ(shape.n_rows(), 14);
  EXPECT_EQ(shape.n_elements(), 70);
  EXPECT_EQ(shape.text(), "[5, 7, 2]");
  EXPECT_FALSE(shape.is_vector());
  EXPECT_TRUE(Shape::make(Extents{9}).value().is_vector());
  EXPECT_EQ(Shape::make(Extents{9}).value().text(), "[9]");
}

TEST(Shape, OfOneRowEqualsTheVectorButIsAMatrix) {
  EXPECT_EQ(matrix_shape(9, 1), vector_shape(9));
  EXPECT_FALSE(matrix_shape(9, 1).is_vector());
  EXPECT_NE(matrix_shape(9, 2), matrix_shape(2, 9));
}

TEST(Shape, RefusesNoneAndMoreThanFourDimensions) {
  EXPECT_FALSE(Shape::make(Extents{}));
  EXPECT_TRUE(Shape::make(Extents{1, 2, 3, 4}));
  const auto five = Shape::make(Extents{1, 1, 1, 1, 1});
  ASSERT_FALSE(five);
  EXPECT_EQ(five.error().message, "a tensor has 1 to 4 dimensions, got 5");
}

TEST(Shape, RefusesZeroAndNegativeExtentsByPlace) {
  EXPECT_EQ(Shape::make(Extents{4, 0}).error().message, "dimension 1 is 0, expected at least 1");
  EXPECT_EQ(Shape::make(Extents{-1, 4}).error().message, "dimension 0 is -1, expected at least 1");
  EXPECT_FALSE(Shape::make(Extents{std::numeric_limits<std::int64_t>::min()}));
}

TEST(Shape, RefusesAProductBeyond63Bits) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(Shape::make(Extents{kMax, 1, 1, 1}));
  EXPECT_TRUE(Shape::make(Extents{std::int64_t{1} << 31, std::int64_t{1} << 31}));
  EXPECT_FALSE(Shape::make(Extents{std::int64_t{1} << 32, std::int64_t{1} << 31}));
  EXPECT_FALSE(Shape::make(Extents{1 << 16, 1 << 16, 1 << 16, 1 << 16}));
  EXPECT_FALSE(Shape::make(Extents{kMax, 2}));
}

TEST(AlignedBuffer, IsAlignedZeroedAndMovable) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{100000}}) {
    AlignedBuffer buffer(n);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U);
    EXPECT_EQ(buffer.size(), n);
    for (const std::byte b : buffer.bytes()) ASSERT_EQ(b, std::byte{0});
    buffer.data()[n - 1] = std::byte{7};
    const AlignedBuffer moved = std::move(buffer);
    EXPECT_EQ(moved.bytes().back(), std::byte{7});
  }
  const AlignedBuffer empty(0);
  EXPECT_EQ(empty.size(), 0U);
  EXPECT_TRUE(empty.bytes().empty());
}

}  // namespace
}  // namespace tern
