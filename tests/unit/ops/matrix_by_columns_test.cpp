// Ternary products whose inputs are mostly zero: the bits of ordinary ones, whatever is passed over.
#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "ops/matrix.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::ops {
namespace {

constexpr std::int64_t kRows = 600;         // two panels and a part
constexpr std::int64_t kNonZeroPart = 384;  // of 512 inputs

struct Case {
  std::int64_t n_cols;
  double share;  // of the input that is not zero
};

class ByColumns : public testing::TestWithParam<std::tuple<const char*, Case, Rounding>> {
 protected:
  void SetUp() override {
    const auto& [isa, c, rounding] = GetParam();
    if (*isa != '\0' && !kernels::choose(isa)) GTEST_SKIP() << isa << " does not run here";
    kernels_ = kernels::choose(isa).value();
    weights_ = test::encoded_rows(formats::kTQ2_0, kRows, 512, 3);
    const TensorView view{"w", matrix_shape(512, kRows), &formats::kTQ2_0, weights_.bytes()};
    by_rows_ = Matrix::bind(view, rounding, kernels_).value();
    by_columns_ = Matrix::bind(view, rounding, kernels_, Input::mostly_zero).value();
    by_columns_.move_weights({.pool = &pool_, .arena = &arena_});
    x_ = AlignedBuffer(static_cast<std::size_t>(c.n_cols * 512) * sizeof(float));
    Random random(9);
    const auto values = test::normal_values(c.n_cols * 512, 4);
    for (std::size_t i = 0; i < values.size(); ++i) {
      x_.as<float>()[i] =
          static_cast<std::int64_t>(i % 512) < kNonZeroPart && random.uniform() < c.share ? values[i] : 0.0F;
    }
  }

  std::vector<float> product(const Matrix& matrix, std::int64_t step) {
    const std::int64_t n_cols = std::get<1>(GetParam()).n_cols;
    columns_.prepare(matrix.input_form(), kernels_, x_.as<float>(), 512, n_cols, 512, pool_);
    std::vector<float> y(static_cast<std::size_t>(n_cols * kRows), -7.0F);
    for (std::int64_t r = 0; r < kRows; r += step)
      matrix.multiply(r, std::min(r + step, kRows), columns_, y.data(), kRows);
    return y;
  }

  kernels::Kernels kernels_;
  AlignedBuffer weights_;
  sys::PageArena arena_;
  AlignedBuffer x_;
  Matrix by_rows_;
  Matrix by_columns_;
  Columns columns_;
  sys::ThreadPool pool_{2};
};

TEST_P(ByColumns, GivesTheSameBitsAsByRowsInPiecesToo) {
  const auto expected = product(by_rows_, kRows);
  EXPECT_EQ(by_rows_.passed_over(columns_).bytes, 0U);
  for (const std::int64_t step : {kRows, std::int64_t{256}, std::int64_t{100}}) {
    const auto got = product(by_columns_, step);
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << "pieces of " << step;
  }
}

TEST_P(ByColumns, SaysWhatItPassedOver) {
  const auto& [isa, c, rounding] = GetParam();
  static_cast<void>(product(by_columns_, kRows));
  const PassedOver passed = by_columns_.passed_over(columns_);
  std::int64_t n_zero = 0;
  for (std::int64_t i = 0; i < c.n_cols; ++i) n_zero += 512 - columns_.taken(i).size();
  const bool is_scalar = std::string_view(isa) == "scalar";  // which has no faster way with all columns
  if (c.share > 0.9 && c.n_cols > 1 && !is_scalar) {
    EXPECT_EQ(passed.products, 0) << "so little is not worth it";
    EXPECT_EQ(passed.bytes, 0U);
    return;
  }
  EXPECT_GT(n_zero, 0);
  EXPECT_EQ(passed.products, n_zero * kRows);
  EXPECT_EQ(passed.bytes, c.n_cols == 1 ? static_cast<std::uint64_t>(n_zero * 64 * 3) : 0U);
}

INSTANTIATE_TEST_SUITE_P(All, ByColumns,
                         testing::Combine(testing::Values("scalar", "avx2", ""),
                                          testing::Values(Case{1, 0.0}, Case{1, 0.2}, Case{1, 1.0}, Case{3, 0.2},
                                                          Case{20, 0.2}, Case{20, 1.0}, Case{131, 0.1}, Case{131, 1.0}),
                                          testing::Values(Rounding::per_token, Rounding::per_token_4bit)));

}  // namespace
}  // namespace tern::ops
