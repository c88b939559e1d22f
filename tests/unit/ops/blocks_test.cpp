// Blocks cover a product once, whatever its columns and threads; and products by blocks have the scalar set's bits.
#include "ops/blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "tests/support/kernel_cases.hpp"

namespace tern::ops {
namespace {

constexpr std::int64_t kRows = 2700;  // more than are done at once in runs of columns

class Blocks : public testing::TestWithParam<std::tuple<const char*, const formats::Format*>> {
 protected:
  void SetUp() override {
    const auto& [isa, format] = GetParam();
    if (!kernels::choose(isa)) GTEST_SKIP() << isa << " does not run here";
    kernels_ = kernels::choose(isa).value();
    weights_ = test::encoded_rows(*format, kRows, 512, test::signs_of_normal_values(kRows * 512, 3, format->is_binary));
    view_ = {"w", matrix_shape(512, kRows), format, weights_.bytes()};
    matrix_ = Matrix::bind(view_, Rounding::per_token, kernels_).value();
  }

  static std::vector<float> product(const Matrix& matrix, const kernels::Kernels& kernels,
                                    const std::vector<float>& input, std::int64_t n_cols, bool by_blocks) {
    sys::ThreadPool pool(1);
    Columns columns;
    columns.prepare(matrix.input_form(), kernels, input.data(), 512, n_cols, 512, pool);
    std::vector<float> y(static_cast<std::size_t>(n_cols * kRows), -7.0F);
    if (by_blocks) {
      for (const Block& block : blocks_of(matrix, n_cols, 96, 2)) matrix.multiply(block, columns, y.data(), kRows);
    } else {
      matrix.multiply(0, kRows, columns, y.data(), kRows);
    }
    return y;
  }

  kernels::Kernels kernels_;
  AlignedBuffer weights_;
  TensorView view_;
  Matrix matrix_;
};

TEST_P(Blocks, CoverEveryOutputOnce) {
  for (const std::int64_t n_cols : {1, 5, 23, 24, 32, 33, 55, 56, 64, 150}) {
    for (const int n_threads : {1, 2, 7, 64}) {
      std::vector<int> n_times(static_cast<std::size_t>(kRows * n_cols));
      for (const Block& block : blocks_of(matrix_, n_cols, 96, n_threads)) {
        ASSERT_LT(block.first_row, block.last_row);
        ASSERT_LT(block.first_column, block.last_column);
        for (std::int64_t c = block.first_column; c < block.last_column; ++c) {
          for (std::int64_t r = block.first_row; r < block.last_row; ++r) {
            ++n_times.at(static_cast<std::size_t>(c * kRows + r));
          }
        }
      }
      EXPECT_EQ(std::ranges::count(n_times, 1), kRows * n_cols) << n_cols << " columns, " << n_threads << " threads";
    }
  }
}

TEST_P(Blocks, GiveTheBitsOfTheScalarSet) {
  const kernels::Kernels scalar = kernels::choose("scalar").value();
  const Matrix reference = Matrix::bind(view_, Rounding::per_token, scalar).value();
  const std::vector<float> input = test::normal_values(70 * 512, 4);
  const std::vector<float> expected = product(reference, scalar, input, 70, false);
  for (const std::int64_t n_cols : {20, 24, 31, 32, 33, 56, 64, 70}) {
    const std::vector<float> wanted(expected.begin(), expected.begin() + n_cols * kRows);
    EXPECT_TRUE(product(matrix_, kernels_, input, n_cols, true) == wanted) << n_cols << " columns by blocks";
    EXPECT_TRUE(product(matrix_, kernels_, input, n_cols, false) == wanted) << n_cols << " columns at once";
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Blocks,
                         testing::Combine(testing::Values("scalar", "avx2", "avxvnni", "avx512vnni"),
                                          testing::Values(&formats::kTQ2_0, &formats::kQ1_0)),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param)) + std::string(std::get<1>(one.param)->name);
                         });

TEST(BlocksOfFew, ManyThreadsGetAPieceEach) {
  const kernels::Kernels kernels = kernels::choose("scalar").value();
  const AlignedBuffer weights = test::encoded_rows(formats::kTQ2_0, 1024, 512, 3);
  const TensorView view{"w", matrix_shape(512, 1024), &formats::kTQ2_0, weights.bytes()};
  const Matrix matrix = Matrix::bind(view, Rounding::per_token, kernels).value();
  EXPECT_GE(blocks_of(matrix, 32, rows_per_chunk(1024, 32, 512, 8), 8).size(), 8U);
}

}  // namespace
}  // namespace tern::ops
