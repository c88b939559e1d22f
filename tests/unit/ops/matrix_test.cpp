// Every weight format under every rounding against a plain product in double of the decoded weights and the input that
// the rounding means; the ternary path exactly.
#include "ops/matrix.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "formats/q8_k.hpp"
#include "formats/token_codes.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::ops {
namespace {

using test::normal_values;

constexpr std::int64_t kRows = 37;
constexpr std::int64_t kK = 512;
constexpr std::int64_t kCols = 131;  // more than are taken at once

// A tensor of that format with its tail, from random (where it must, ternary) values.
struct Weights {
  AlignedBuffer bytes;
  TensorView view;
};
Weights weights_of(const formats::Format& format, std::uint64_t seed, std::int64_t n_rows = kRows,
                   std::int64_t k = kK) {
  std::vector<float> values = normal_values(n_rows * k, seed, 0.05);
  if (format.is_ternary) {
    for (float& v : values) v = std::fabs(v) < 0.02F ? 0.0F : std::copysign(0.0625F, v);
  }
  Weights w;
  const Shape shape = matrix_shape(k, n_rows);
  w.bytes = AlignedBuffer(formats::tensor_bytes(format, shape).value());
  const auto done = formats::encode_tensor(format, "w", shape, values, w.bytes.bytes());
  if (!done) throw std::runtime_error(done.error().message);
  w.view = {"w", shape, &format, w.bytes.bytes()};
  return w;
}

std::vector<float> decoded(const TensorView& view) {
  std::vector<float> out(static_cast<std::size_t>(view.shape.n_elements()));
  const auto done = formats::decode_rows(*view.format, view.shape, view.bytes, 0, view.shape.n_rows(), out);
  if (!done) throw std::runtime_error(done.error().message);
  return out;
}

// The input as the form rounds it, by the reference encoders.
std::vector<double> meaning_of(InputForm form, const float* x, std::int64_t k) {
  const auto n = static_cast<std::size_t>(k);
  std::vector<float> out(x, x + k);
  if (form == InputForm::q8_0) {
    std::vector<std::byte> blocks(n / 32 * 34);
    EXPECT_FALSE(formats::encode_row_q8_0(x, k, 1.0F, blocks.data()));
    formats::decode_row_q8_0(blocks.data(), k, 1.0F, out.data());
  } else if (form == InputForm::q8_k) {
    std::vector<std::byte> blocks(n / 256 * 292);
    EXPECT_FALSE(formats::encode_row_q8_k(x, k, blocks.data()));
    formats::decode_row_q8_k(blocks.data(), k, out.data());
  } else if (form == InputForm::int8_token || form == InputForm::f32_rounded) {
    std::vector<std::int8_t> codes(n);
    const auto token = formats::encode_int8_token(x, k, codes.data());
    std::vector<double> exact(n);
    for (std::size_t i = 0; i < n; ++i) exact[i] = static_cast<double>(codes[i]) / static_cast<double>(token.s);
    return exact;
  }
  return {out.begin(), out.end()};
}

class Matrices : public testing::TestWithParam<std::tuple<const formats::Format*, Rounding, const char*>> {};

TEST_P(Matrices, MultiplyAsAPlainProductInDouble) {
  const auto [format, rounding, isa] = GetParam();
  const kernels::Kernels kernels = kernels::choose(isa).value();
  const Weights w = weights_of(*format, 1);
  const Matrix matrix = Matrix::bind(w.view, rounding, kernels).value();
  EXPECT_EQ(matrix.n_rows(), kRows);
  EXPECT_EQ(matrix.k(), kK);
  const std::vector<float> weights = decoded(w.view);
  AlignedBuffer x(kCols * kK * sizeof(float));
  const auto input = normal_values(kCols * kK, 2);
  std::memcpy(x.data(), input.data(), input.size() * sizeof(float));
  sys::ThreadPool pool(1);
  Columns columns;
  columns.prepare(matrix.input_form(), kernels, x.as<float>(), kK, kCols, kK, pool);

  constexpr std::size_t kStride = 40;
  std::vector<float> y(kCols * kStride, -777.0F);
  matrix.multiply(0, 0, columns, y.data(), kStride);  // nothing to do is done
  matrix.multiply(0, kRows, columns, y.data(), kStride);
  for (std::int64_t c = 0; c < kCols; ++c) {
    const auto meaning = meaning_of(matrix.input_form(), x.as<float>() + c * kK, kK);
    for (std::int64_t r = 0; r < kRows; ++r) {
      double sum = 0.0;
      double magnitude = 0.0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(kK); ++i) {
        const double product = static_cast<double>(weights[static_cast<std::size_t>(r * kK) + i]) * meaning[i];
        sum += product;
        magnitude += std::abs(product);
      }
      // At most a few dozen float additions stand in a row in any kernel here (8 or more lanes over 512), each of them
      // rounds by 2^-24 of at most the sum of magnitudes; the products and scales add a few more.
      EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(c) * kStride + static_cast<std::size_t>(r)]), sum,
                  magnitude * 80 * 0x1p-24 + 1e-9)
          << "row " << r << " column " << c;
    }
    for (std::size_t r = kRows; r < kStride; ++r) EXPECT_EQ(y[static_cast<std::size_t>(c) * kStride + r], -777.0F);
  }

  // In pieces, and one column alone: the same bits.
  std::vector<float> pieces(kCols * kStride, -777.0F);
  for (const auto& [first, last] : {std::pair{0, 1}, {1, 17}, {17, 18}, {18, 37}}) {
    matrix.multiply(first, last, columns, pieces.data(), kStride);
  }
  EXPECT_EQ(std::memcmp(pieces.data(), y.data(), y.size() * sizeof(float)), 0);
  Columns one;
  one.prepare(matrix.input_form(), kernels, x.as<float>() + 2 * kK, kK, 1, kK, pool);
  std::vector<float> last_column(kStride, -777.0F);
  matrix.multiply(0, kRows, one, last_column.data(), kStride);
  EXPECT_EQ(std::memcmp(last_column.data(), y.data() + 2 * kStride, kRows * sizeof(float)), 0);

  std::vector<float> row(kK);
  matrix.decode_row(36, row.data());
  EXPECT_EQ(std::memcmp(row.data(), weights.data() + 36 * kK, kK * sizeof(float)), 0);
}

std::string case_name(const testing::TestParamInfo<Matrices::ParamType>& c) {
  static constexpr std::array<std::string_view, 3> kRoundings{"partner", "none", "per_token"};
  const auto& [format, rounding, isa] = c.param;
  return fmt::format("{}_{}_{}", format->name, kRoundings.at(static_cast<std::size_t>(rounding)),
                     *isa == '\0' ? "best" : isa);
}

std::vector<const formats::Format*> all_formats() {
  return {formats::kAll.begin(), formats::kAll.end()};
}

INSTANTIATE_TEST_SUITE_P(All, Matrices,
                         testing::Combine(testing::ValuesIn(all_formats()),
                                          testing::Values(Rounding::partner, Rounding::none, Rounding::per_token),
                                          testing::Values("scalar", "")),
                         case_name);

TEST(Matrix, TheFormFollowsFromThePolicyAndTheFormat) {
  const kernels::Kernels kernels = kernels::choose("scalar").value();
  const auto form = [&](const formats::Format& format, Rounding rounding) {
    const Weights w = weights_of(format, 1);
    return Matrix::bind(w.view, rounding, kernels).value().input_form();
  };
  EXPECT_EQ(form(formats::kF16, Rounding::partner), InputForm::f32);
  EXPECT_EQ(form(formats::kQ4_0, Rounding::partner), InputForm::q8_0);
  EXPECT_EQ(form(formats::kQ4_K, Rounding::partner), InputForm::q8_k);
  EXPECT_EQ(form(formats::kI2_S, Rounding::partner), InputForm::int8_token);
  EXPECT_EQ(form(formats::kQ4_K, Rounding::none), InputForm::f32);
  EXPECT_EQ(form(formats::kI2_S, Rounding::none), InputForm::f32);
  EXPECT_EQ(form(formats::kTQ2_0, Rounding::per_token), InputForm::int8_token);
  EXPECT_EQ(form(formats::kQ4_K, Rounding::per_token), InputForm::f32_rounded)
      << "not ternary: the rounding stays, the weights are as they are";
}

TEST(Matrix, TernaryWeightsInAnyFormatGiveTheSameExactSums) {
  // 0.0625 is exact in fp16, so that all these files hold the same numbers.
  for (const char* isa : {"scalar", ""}) {
    const kernels::Kernels kernels = kernels::choose(isa).value();
    AlignedBuffer x(kK * sizeof(float));
    const auto input = normal_values(kK, 4);
    std::memcpy(x.data(), input.data(), input.size() * sizeof(float));
    sys::ThreadPool pool(1);
    std::vector<float> expected;
    for (const formats::Format* format : {&formats::kI2_S, &formats::kTQ1_0, &formats::kTQ2_0}) {
      const Weights w = weights_of(*format, 5);
      const Matrix matrix = Matrix::bind(w.view, Rounding::per_token, kernels).value();
      EXPECT_EQ(matrix.packed_bytes() == 0, format == &formats::kI2_S) << "I2_S is used where it lies";
      Columns columns;
      columns.prepare(matrix.input_form(), kernels, x.as<float>(), kK, 1, kK, pool);
      std::vector<float> y(kRows);
      matrix.multiply(0, kRows, columns, y.data(), kRows);
      // Integers by hand.
      const auto weights = decoded(w.view);
      std::vector<std::int8_t> codes(kK);
      const auto token = formats::encode_int8_token(x.as<float>(), kK, codes.data());
      for (std::size_t r = 0; r < kRows; ++r) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < kK; ++i) sum += static_cast<std::int64_t>(weights[r * kK + i] / 0.0625F) * codes[i];
        EXPECT_EQ(y[r], static_cast<float>(sum) / token.s * 0.0625F) << format->name << " row " << r;
      }
      if (expected.empty()) expected = y;
      EXPECT_EQ(y, expected) << format->name;
    }
  }
}

TEST(Matrix, BinaryWeightsGiveTheExactSumsOfTernaryOnes) {
  // Rows that are no whole panel, columns for every path, codes of 8 and of 4 bits.
  for (const char* isa : {"scalar", ""}) {
    const kernels::Kernels kernels = kernels::choose(isa).value();
    for (const Rounding rounding : {Rounding::per_token, Rounding::per_token_4bit}) {
      constexpr std::int64_t kBinaryRows = 75;
      std::vector<float> values = normal_values(kBinaryRows * kK, 9);
      for (float& v : values) v = std::copysign(0.0625F, v);
      const Shape shape = matrix_shape(kK, kBinaryRows);
      AlignedBuffer bytes(formats::tensor_bytes(formats::kQ1_0, shape).value());
      ASSERT_TRUE(formats::encode_tensor(formats::kQ1_0, "w", shape, values, bytes.bytes()).has_value());
      const Matrix matrix = Matrix::bind({"w", shape, &formats::kQ1_0, bytes.bytes()}, rounding, kernels).value();
      const bool has_eight_bits = rounding == Rounding::per_token;
      EXPECT_EQ(matrix.input_form(), has_eight_bits ? InputForm::int8_tables : InputForm::int4_tables);
      EXPECT_EQ(matrix.weight_bytes(), 96U * kK / 8) << "a bit a weight, rows to whole panels";
      AlignedBuffer x(kCols * kK * sizeof(float));
      const auto input = normal_values(kCols * kK, 10);
      std::memcpy(x.data(), input.data(), input.size() * sizeof(float));
      sys::ThreadPool pool(1);
      Columns columns;
      columns.prepare(matrix.input_form(), kernels, x.as<float>(), kK, kCols, kK, pool);
      std::vector<float> y(kCols * kBinaryRows);
      matrix.multiply(0, kBinaryRows, columns, y.data(), kBinaryRows);
      for (std::int64_t c = 0; c < kCols; ++c) {
        std::vector<std::int8_t> codes(kK);
        const auto token = has_eight_bits ? formats::encode_int8_token(x.as<float>() + c * kK, kK, codes.data())
                                          : formats::encode_int4_token(x.as<float>() + c * kK, kK, codes.data());
        for (std::int64_t r = 0; r < kBinaryRows; ++r) {
          std::int32_t sum = 0;
          for (std::int64_t i = 0; i < kK; ++i) {
            const auto at = static_cast<std::size_t>(i);
            sum += values[static_cast<std::size_t>(r * kK) + at] > 0.0F ? codes[at] : -codes[at];
          }
          ASSERT_EQ(y[static_cast<std::size_t>(c * kBinaryRows + r)], static_cast<float>(sum) / token.s * 0.0625F)
              << isa << " row " << r << " column " << c;
        }
      }
      // In pieces that begin and end within panels, and one column alone: the same bits, and nobody else's rows.
      std::vector<float> pieces(y.size(), -777.0F);
      for (const auto& [first, last] : {std::pair{0, 5}, {5, 9}, {9, 40}, {64, 75}})
        matrix.multiply(first, last, columns, pieces.data(), kBinaryRows);
      for (std::size_t i = 0; i < y.size(); ++i) {
        const std::size_t row = i % kBinaryRows;
        ASSERT_EQ(pieces[i], row >= 40 && row < 64 ? -777.0F : y[i]) << isa << " " << i;
      }
      Columns one;
      one.prepare(matrix.input_form(), kernels, x.as<float>() + 130 * kK, kK, 1, kK, pool);
      std::vector<float> alone(kBinaryRows);
      matrix.multiply(0, kBinaryRows, one, alone.data(), kBinaryRows);
      EXPECT_EQ(std::memcmp(alone.data(), y.data() + 130 * kBinaryRows, kBinaryRows * sizeof(float)), 0);
    }
  }
}

TEST(Matrix, ManyColumnsAndRowsCrossTheStepsOfTheTernaryPath) {
  const kernels::Kernels kernels = kernels::choose("").value();
  constexpr std::int64_t kManyRows = 200;
  constexpr std::int64_t kManyCols = 150;
  const Weights w = weights_of(formats::kI2_S, 6, kManyRows, 128);
  const Matrix matrix = Matrix::bind(w.view, Rounding::per_token, kernels).value();
  AlignedBuffer x(kManyCols * 128 * sizeof(float));
  const auto input = normal_values(kManyCols * 128, 7);
  std::memcpy(x.data(), input.data(), input.size() * sizeof(float));
  sys::ThreadPool pool(1);
  Columns all;
  all.prepare(matrix.input_form(), kernels, x.as<float>(), 128, kManyCols, 128, pool);
  std::vector<float> together(kManyRows * kManyCols);
  matrix.multiply(0, kManyRows, all, together.data(), kManyRows);
  // Rows beyond those asked for are another thread's: they stay untouched.
  std::vector<float> some(kManyRows * kManyCols, -777.0F);
  matrix.multiply(0, 100, all, some.data(), kManyRows);
  for (std::int64_t c = 0; c < kManyCols; ++c) {
    const auto at = static_cast<std::size_t>(c * kManyRows);
    EXPECT_EQ(std::memcmp(some.data() + at, together.data() + at, 100 * sizeof(float)), 0) << c;
    for (std::size_t r = 100; r < kManyRows; ++r) ASSERT_EQ(some[at + r], -777.0F) << c << " row " << r;
  }
  for (std::int64_t c = 0; c < kManyCols; c += 7) {
    Columns one;
    one.prepare(matrix.input_form(), kernels, x.as<float>() + c * 128, 128, 1, 128, pool);
    std::vector<float> alone(kManyRows);
    for (std::int64_t r = 0; r < kManyRows; r += 3)
      matrix.multiply(r, std::min(r + 3, kManyRows), one, alone.data(), kManyRows);
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + c * kManyRows, kManyRows * sizeof(float)), 0) << c;
  }
}

TEST(Matrix, ACodeThatTheFormatDoesNotDefineIsRefusedByRow) {
  const kernels::Kernels kernels = kernels::choose("scalar").value();
  for (const formats::Format* format : {&formats::kI2_S, &formats::kTQ2_0}) {
    Weights w = weights_of(*format, 8);
    w.bytes.data()[3 * format->row_bytes(kK) + 5] = std::byte{0xff};
    const auto refused = Matrix::bind(w.view, Rounding::per_token, kernels);
    ASSERT_FALSE(refused) << format->name;
    EXPECT_TRUE(
        refused.error().message.starts_with(fmt::format("w: row 3 holds a code that {} does not define", format->name)))
        << refused.error().message;
  }
}

}  // namespace
}  // namespace tern::ops
