// The block structs of the AVX2 folder, which may not include room formats, are those of room formats; and the generic
// matmul, the measure of all others, against a product written out here.
#include <gtest/gtest.h>

#include "formats/q8_k.hpp"
#include "kernels/avx2/blocks.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

static_assert(sizeof(avx2::BlockQ8_0) == formats::kQ8_0.block_bytes);
static_assert(sizeof(avx2::BlockQ4_0) == formats::kQ4_0.block_bytes);
static_assert(sizeof(avx2::BlockQ4_1) == formats::kQ4_1.block_bytes);
static_assert(sizeof(avx2::BlockQ5_0) == formats::kQ5_0.block_bytes);
static_assert(sizeof(avx2::BlockQ5_1) == formats::kQ5_1.block_bytes);
static_assert(sizeof(avx2::BlockQ1_0) == formats::kQ1_0.block_bytes);
static_assert(sizeof(avx2::BlockQ2_0) == formats::kQ2_0.block_bytes);
static_assert(sizeof(avx2::BlockQ2_K) == formats::kQ2_K.block_bytes);
static_assert(sizeof(avx2::BlockQ3_K) == formats::kQ3_K.block_bytes);
static_assert(sizeof(avx2::BlockQ4_K) == formats::kQ4_K.block_bytes);
static_assert(sizeof(avx2::BlockQ5_K) == formats::kQ5_K.block_bytes);
static_assert(sizeof(avx2::BlockQ6_K) == formats::kQ6_K.block_bytes);
static_assert(sizeof(avx2::BlockTQ1_0) == formats::kTQ1_0.block_bytes);
static_assert(sizeof(avx2::BlockTQ2_0) == formats::kTQ2_0.block_bytes);
static_assert(sizeof(avx2::BlockQ8_K) == sizeof(formats::BlockQ8_K));

TEST(MatmulGeneric, ServesEveryFormatWithEveryActivationLayout) {
  const std::int64_t k = 256;
  const std::int64_t n_rows = 3;
  const std::int64_t n_cols = 2;
  const Kernels scalar = choose("scalar").value();
  for (const formats::Format* format : formats::kAll) {
    const AlignedBuffer w = test::encoded_rows(*format, n_rows, k, 1);
    for (const Activation activation : {Activation::f32, Activation::q8_0, Activation::q8_k}) {
      const auto x = test::make_columns(scalar.table, activation, test::normal_values(n_cols * k, 2), n_cols, k);
      std::vector<float> y(8, -1.0F);
      matmul_generic(*format, 0.0625F, activation,
                     {.w = w.data(),
                      .w_row_bytes = static_cast<std::size_t>(format->row_bytes(k)),
                      .n_rows = n_rows,
                      .x = x.bytes.data(),
                      .x_col_bytes = x.col_bytes,
                      .n_cols = n_cols,
                      .k = k,
                      .y = y.data(),
                      .y_stride = 4});
      std::vector<float> row(static_cast<std::size_t>(k));
      for (std::int64_t c = 0; c < n_cols; ++c) {
        const auto column = test::decoded_column(activation, x, c, k);
        for (std::int64_t r = 0; r < n_rows; ++r) {
          format->decode_row(w.data() + r * format->row_bytes(k), k, 0.0625F, row.data());
          double sum = 0.0;
          for (std::size_t i = 0; i < row.size(); ++i)
            sum += static_cast<double>(row[i]) * static_cast<double>(column[i]);
          EXPECT_FLOAT_EQ(y[static_cast<std::size_t>(c * 4 + r)], static_cast<float>(sum)) << format->name;
        }
        EXPECT_EQ(y[static_cast<std::size_t>(c * 4 + 3)], -1.0F);
      }
    }
  }
}

TEST(ActivationBytes, AreWholeBlocksRoundedUpToCacheLines) {
  EXPECT_EQ(activation_bytes(Activation::f32, 1), 64U);
  EXPECT_EQ(activation_bytes(Activation::f32, 17), 128U);
  EXPECT_EQ(activation_bytes(Activation::q8_0, 2560), 2752U);  // 80 * 34 = 2720
  EXPECT_EQ(activation_bytes(Activation::q8_k, 2560), 2944U);  // 10 * 292 = 2920
}

}  // namespace
}  // namespace tern::kernels
