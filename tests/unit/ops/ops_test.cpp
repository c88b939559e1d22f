// Rotation, norms, and the forms of a product's input, each against a plain computation in double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "formats/q8_k.hpp"
#include "formats/token_codes.hpp"
#include "ops/columns.hpp"
#include "ops/norm.hpp"
#include "ops/rope.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::ops {
namespace {

using test::normal_values;

// What rotation means: as complex numbers, pair i is multiplied by e^(i * position * frequency).
TEST(Rope, TurnsEachPairByItsAngleInBothPairings) {
  constexpr std::int64_t kHeadDim = 24;
  constexpr std::int64_t kRotary = 16;
  constexpr std::int64_t kHeads = 3;
  const auto x = normal_values(kHeads * kHeadDim, 3);
  for (const bool half_split : {false, true}) {
    RopeKind kind{kRotary, half_split, {}};
    for (int i = 0; i < kRotary / 2; ++i) {
      kind.inverse_frequency.push_back(static_cast<float>(std::pow(100.0, -2.0 * i / kRotary)));
    }
    const std::vector<std::int32_t> positions{0, 1, 77, 4000};
    RopeTable table;
    table.compute(kind, positions);
    for (std::size_t t = 0; t < positions.size(); ++t) {
      std::vector<float> y(x.size(), 99.0F);
      rotate(kind, table.cosine.data() + t * 8, table.sine.data() + t * 8, x.data(), kHeads, kHeadDim, y.data());
      std::vector<float> in_place = x;
      rotate(kind, table.cosine.data() + t * 8, table.sine.data() + t * 8, in_place.data(), kHeads, kHeadDim,
             in_place.data());
      EXPECT_EQ(in_place, y) << "out may be in";
      for (std::int64_t h = 0; h < kHeads; ++h) {
        for (std::int64_t i = 0; i < kRotary / 2; ++i) {
          const auto first = static_cast<std::size_t>(h * kHeadDim + (half_split ? i : 2 * i));
          const auto second = static_cast<std::size_t>(h * kHeadDim + (half_split ? i + kRotary / 2 : 2 * i + 1));
          const double angle = positions[t] * std::pow(100.0, -2.0 * static_cast<double>(i) / kRotary);
          const double a = static_cast<double>(x[first]);
          const double b = static_cast<double>(x[second]);
          // The angle is a float product: its error is at most angle * 2^-23, and so is the result's, times the radius.
          const double tolerance = (angle * 0x1p-22 + 1e-6) * std::hypot(a, b);
          EXPECT_NEAR(static_cast<double>(y[first]), a * std::cos(angle) - b * std::sin(angle), tolerance);
          EXPECT_NEAR(static_cast<double>(y[second]), b * std::cos(angle) + a * std::sin(angle), tolerance);
        }
        for (std::int64_t i = kRotary; i < kHeadDim; ++i) {
          EXPECT_EQ(y[static_cast<std::size_t>(h * kHeadDim + i)], x[static_cast<std::size_t>(h * kHeadDim + i)]);
        }
      }
      if (positions[t] == 0) {
        EXPECT_EQ(y, x);
      }
    }
  }
}

TEST(LayerNorm, HasMeanZeroAndVarianceOneBeforeWeightAndBias) {
  for (const std::int64_t n : {1, 2, 5, 64, 300}) {
    auto x = normal_values(n, 5, 3.0);
    for (float& v : x) v += 100.0F;  // a large mean: the naive E[x^2] - E[x]^2 in float would fail
    const auto weight = normal_values(n, 6);
    const auto bias = normal_values(n, 7);
    double mean = 0.0;
    for (const float v : x) mean += static_cast<double>(v) / static_cast<double>(n);
    double variance = 0.0;
    for (const float v : x)
      variance += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean) / static_cast<double>(n);
    std::vector<float> y(x.size());
    const auto expect = [&](const float* w, const float* b) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        double value = (static_cast<double>(x[i]) - mean) / std::sqrt(variance + 1e-5);
        if (w != nullptr) value *= static_cast<double>(w[i]);
        if (b != nullptr) value += static_cast<double>(b[i]);
        EXPECT_NEAR(static_cast<double>(y[i]), value, 2e-6 * (1.0 + std::abs(value))) << n << " " << i;
      }
    };
    layer_norm(x.data(), nullptr, nullptr, n, 1e-5F, y.data());
    expect(nullptr, nullptr);
    layer_norm(x.data(), weight.data(), bias.data(), n, 1e-5F, y.data());
    expect(weight.data(), bias.data());
    y = x;
    layer_norm(y.data(), weight.data(), bias.data(), n, 1e-5F, y.data());
    expect(weight.data(), bias.data());
  }
}

class ColumnForms : public testing::TestWithParam<const char*> {
 protected:
  kernels::Kernels kernels_ = kernels::choose(GetParam()).value();
};

TEST_P(ColumnForms, HoldWhatTheEncodersMakeForAnyNumberOfThreads) {
  constexpr std::int64_t kCols = 5;
  constexpr std::size_t kStride = 528;
  for (const std::int64_t k : {256, 512}) {
    AlignedBuffer x(kStride * kCols * sizeof(float));
    const auto values = normal_values(static_cast<std::int64_t>(kStride) * kCols, 9);
    std::memcpy(x.data(), values.data(), values.size() * sizeof(float));
    for (const int n_threads : {1, 3}) {
      sys::ThreadPool pool(n_threads);
      Columns columns;  // one object for all forms: nothing of the last form may stay
      for (const InputForm form :
           {InputForm::q8_k, InputForm::f32, InputForm::int8_token, InputForm::q8_0, InputForm::int4_token,
            InputForm::f32_rounded, InputForm::f32_rounded_4bit, InputForm::int8_tables, InputForm::int4_tables,
            InputForm::int8_taken, InputForm::int4_taken}) {
        if (n_threads == 1) {  // the way in two steps, in an order of its own
          columns.begin(form, kernels_, x.as<float>(), kStride, kCols, k);
          for (std::int64_t c = kCols - 1; c >= 0; --c) columns.round(c);
        } else {
          columns.prepare(form, kernels_, x.as<float>(), kStride, kCols, k, pool);
        }
        EXPECT_EQ(columns.form(), form);
        EXPECT_EQ(columns.k(), k);
        EXPECT_EQ(columns.n_cols(), kCols);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(columns.data()) % 64, 0U);
        EXPECT_EQ(columns.column_bytes() % 64, 0U);
        for (std::int64_t c = 0; c < kCols; ++c) {
          const float* source = x.as<float>() + static_cast<std::size_t>(c) * kStride;
          const auto* got =
              static_cast<const std::byte*>(columns.data()) + static_cast<std::size_t>(c) * columns.column_bytes();
          const auto n = static_cast<std::size_t>(k);
          std::vector<std::int8_t> codes(n);
          const bool is_narrow = form == InputForm::int4_token || form == InputForm::f32_rounded_4bit ||
                                 form == InputForm::int4_tables || form == InputForm::int4_taken;
          const auto token = is_narrow ? formats::encode_int4_token(source, k, codes.data())
                                       : formats::encode_int8_token(source, k, codes.data());
          EXPECT_LE(*std::ranges::max_element(codes), is_narrow ? 7 : 127);
          switch (form) {
            case InputForm::f32:
              EXPECT_EQ(std::memcmp(got, source, n * 4), 0);
              break;
            case InputForm::q8_0: {
              std::vector<std::byte> expected(n / 32 * 34);
              ASSERT_FALSE(formats::encode_row_q8_0(source, k, 1.0F, expected.data()));
              EXPECT_EQ(std::memcmp(got, expected.data(), expected.size()), 0);
              break;
            }
            case InputForm::q8_k: {
              std::vector<std::byte> expected(n / 256 * 292);
              ASSERT_FALSE(formats::encode_row_q8_k(source, k, expected.data()));
              EXPECT_EQ(std::memcmp(got, expected.data(), expected.size()), 0);
              break;
            }
            case InputForm::int8_token:
            case InputForm::int4_token:
              EXPECT_EQ(std::memcmp(got, codes.data(), n), 0);
              EXPECT_EQ(columns.scales()[c], token.s);
              EXPECT_EQ(columns.sums()[c], token.sum);
              break;
            case InputForm::int8_taken:
            case InputForm::int4_taken: {
              EXPECT_EQ(std::memcmp(got, codes.data(), n), 0);
              EXPECT_EQ(columns.scales()[c], token.s);
              EXPECT_EQ(columns.sums()[c], token.sum);
              std::vector<std::int8_t> again(n, 0);
              const kernels::TakenColumns& taken = columns.taken(c);
              for (std::int64_t i = 0; i < taken.size(); ++i) {
                if (taken.codes()[i] != 0) again[taken.columns()[i]] = taken.codes()[i];
              }
              EXPECT_EQ(again, codes);
              break;
            }
            case InputForm::int8_tables:
            case InputForm::int4_tables:
              for (std::size_t i = 0; i < n; i += 4) {  // every nibble's sum, from both of its parts
                const auto* table = reinterpret_cast<const std::uint8_t*>(got) + i * 8;
                for (std::size_t e = 0; e < 16; ++e) {
                  int sum = 0;
                  for (std::size_t bit = 0; bit < 4; ++bit) sum += (e >> bit & 1) != 0 ? codes[i + bit] : 0;
                  ASSERT_EQ(table[e] + 32 * table[16 + e] - 512, sum);
                  ASSERT_LE(std::max(table[e], table[16 + e]), 31);
                }
              }
              EXPECT_EQ(columns.scales()[c], token.s);
              EXPECT_EQ(columns.sums()[c], token.sum);
              break;
            case InputForm::f32_rounded:
            case InputForm::f32_rounded_4bit:
              for (std::size_t i = 0; i < n; ++i) {
                EXPECT_EQ(reinterpret_cast<const float*>(got)[i], static_cast<float>(codes[i]) / token.s);
              }
              break;
          }
        }
      }
    }
  }
}

TEST_P(ColumnForms, Int8CodesArePaddedWithZerosToTheTernaryGroup) {
  sys::ThreadPool pool(1);
  Columns columns;
  AlignedBuffer wide(1024 * sizeof(float));
  std::fill_n(wide.as<float>(), 1024, 5.0F);
  columns.prepare(InputForm::int8_token, kernels_, wide.as<float>(), 1024, 1, 1024, pool);  // leaves 127 everywhere
  columns.prepare(InputForm::int8_token, kernels_, wide.as<float>(), 1024, 1, 100, pool);
  const auto* codes = static_cast<const std::int8_t*>(columns.data());
  EXPECT_EQ(codes[99], 127);
  for (int i = 100; i < 128; ++i) EXPECT_EQ(codes[i], 0) << i;
  EXPECT_EQ(columns.sums()[0], 100 * 127);
}

INSTANTIATE_TEST_SUITE_P(Isa, ColumnForms, testing::Values("scalar", ""),
                         [](const auto& c) { return std::string(c.param).empty() ? "best" : c.param; });

}  // namespace
}  // namespace tern::ops
