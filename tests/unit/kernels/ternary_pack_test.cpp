// Recognising and packing ternary tensors of every format.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/ternary_pack.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

constexpr float kScale = 0.0625F;  // exact in every format

std::vector<float> ternary_values(std::int64_t n, std::uint64_t seed, float scale, bool with_zeros) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) {
    const auto code = static_cast<int>(random.below(with_zeros ? 3 : 2));
    v = with_zeros ? static_cast<float>(code - 1) * scale : (code == 0 ? -scale : scale);
  }
  return values;
}

/// The matrix's values again, padding checked on the way.
std::vector<float> unpacked(const TernaryMatrix& matrix) {
  std::vector<float> values;
  for (std::int64_t r = 0; r < matrix.n_rows; ++r) {
    const std::uint8_t* row = matrix.codes + r * matrix.k_padded / 4;
    for (std::int64_t i = 0; i < matrix.k_padded; ++i) {
      const std::int64_t in_group = i % 128;
      const int code = row[i / 128 * 32 + in_group % 32] >> (6 - 2 * (in_group / 32)) & 3;
      if (i < matrix.k) {
        values.push_back(static_cast<float>(code - 1) * matrix.scale);
      } else {
        EXPECT_EQ(code, 1) << "padding must be zero";
      }
    }
  }
  return values;
}

TEST(TernaryPack, EveryFormatThatHoldsTernaryValuesExactlyPacksToThoseValues) {
  int packed_formats = 0;
  for (const formats::Format* format : formats::kAll) {
    // Row lengths that divide by the format's block; for the small ones also rows that need padding.
    for (const std::int64_t k : {256, 512, 2560, 320, 96}) {
      if (!format->fits_row(k)) continue;
      const auto values = ternary_values(7 * k, 3, kScale, format->name != "Q1_0");
      const test::EncodedTensor tensor = test::encoded_tensor(*format, 7, k, values);
      std::vector<float> decoded(values.size());
      ASSERT_TRUE(formats::decode_rows(*format, tensor.shape, tensor.bytes, 0, 7, decoded).has_value());
      const auto matrix = pack_ternary(tensor.view());
      if (decoded != values) {  // this format's encoder does not keep ternary values; then they must not be called so
        if (matrix.has_value()) {
          EXPECT_EQ(unpacked(*matrix), decoded) << format->name;
        }
        continue;
      }
      ASSERT_TRUE(matrix.has_value()) << format->name << " k=" << k;
      ++packed_formats;
      EXPECT_EQ(matrix->k_padded, ternary_padded(k));
      EXPECT_EQ(matrix->scale, kScale) << format->name;
      EXPECT_EQ(unpacked(*matrix), values) << format->name << " k=" << k;
    }
  }
  EXPECT_GE(packed_formats, 20) << "F32, F16, BF16, TQ1_0, TQ2_0, Q2_0, Q1_0 and I2_S at least";
}

TEST(TernaryPack, TheTernaryFormatsAreAlwaysAmongThem) {
  for (const char* name : {"F32", "F16", "BF16", "TQ1_0", "TQ2_0", "Q2_0", "Q1_0", "I2_S"}) {
    const formats::Format& format = *formats::by_name(name).value();
    const test::EncodedTensor tensor =
        test::encoded_tensor(format, 3, 512, ternary_values(3 * 512, 4, kScale, format.name != "Q1_0"));
    EXPECT_TRUE(pack_ternary(tensor.view()).has_value()) << name;
  }
}

TEST(TernaryPack, I2SBytesAreUsedWhereTheyLie) {
  const formats::Format& format = *formats::by_name("I2_S").value();
  const auto values = ternary_values(5 * 384, 5, 0.123F, true);
  const test::EncodedTensor tensor = test::encoded_tensor(format, 5, 384, values);
  const auto matrix = pack_ternary(tensor.view());
  ASSERT_TRUE(matrix.has_value());
  EXPECT_EQ(static_cast<const void*>(matrix->codes), static_cast<const void*>(tensor.bytes.data()));
  EXPECT_EQ(matrix->owned.size(), 0U);
  EXPECT_EQ(matrix->scale, 0.123F);
  EXPECT_EQ(unpacked(*matrix), values);
}

TEST(TernaryPack, I2SWithTheUndefinedCodeIsNoTernaryMatrix) {
  const formats::Format& format = *formats::by_name("I2_S").value();
  test::EncodedTensor tensor = test::encoded_tensor(format, 2, 256, ternary_values(2 * 256, 6, 1.0F, true));
  tensor.bytes[100] |= std::byte{0x30};
  EXPECT_FALSE(pack_ternary(tensor.view()).has_value());
  sys::ThreadPool pool(2);
  EXPECT_FALSE(pack_ternary(tensor.view(), {.pool = &pool}).has_value());
}

TEST(TernaryPack, OrdinaryWeightsAreRefusedInEveryFormat) {
  for (const formats::Format* format : formats::kAll) {
    if (format->is_ternary || format->name == "Q1_0") continue;
    const test::EncodedTensor tensor = test::encoded_tensor(*format, 2, 512, test::normal_values(2 * 512, 7));
    EXPECT_FALSE(pack_ternary(tensor.view()).has_value()) << format->name;
  }
}

TEST(TernaryPack, BlocksThatDisagreeAboutTheScaleAreRefused) {
  for (const char* name : {"F32", "F16", "TQ1_0", "TQ2_0", "Q2_0", "Q1_0", "Q8_0"}) {
    const formats::Format& format = *formats::by_name(name).value();
    auto values = ternary_values(4 * 512, 8, kScale, format.name != "Q1_0");
    for (std::size_t i = values.size() - 256; i < values.size(); ++i) values[i] *= 2.0F;  // the last blocks only
    EXPECT_FALSE(pack_ternary(test::encoded_tensor(format, 4, 512, values).view()).has_value()) << name;
  }
}

TEST(TernaryPack, ABlockOfZerosAgreesWithEveryScale) {
  for (const char* name : {"F32", "TQ1_0", "TQ2_0", "Q2_0"}) {
    const formats::Format& format = *formats::by_name(name).value();
    auto values = ternary_values(2 * 512, 9, kScale, true);
    std::fill_n(values.begin(), 256, 0.0F);
    const auto matrix = pack_ternary(test::encoded_tensor(format, 2, 512, values).view());
    ASSERT_TRUE(matrix.has_value()) << name;
    EXPECT_EQ(unpacked(*matrix), values) << name;
    const auto zeros = pack_ternary(test::encoded_tensor(format, 2, 512, std::vector<float>(2 * 512)).view());
    ASSERT_TRUE(zeros.has_value()) << name;
    EXPECT_EQ(zeros->scale, 0.0F);
  }
}

TEST(TernaryPack, NotANumberAndTooFewBytesAreRefused) {
  std::vector<float> values = ternary_values(512, 10, 1.0F, true);
  test::EncodedTensor tensor = test::encoded_tensor(formats::kF32, 1, 512, values);
  const float nan = std::nanf("");
  std::memcpy(tensor.bytes.data() + 400, &nan, sizeof nan);
  EXPECT_FALSE(pack_ternary(tensor.view()).has_value());
  test::EncodedTensor cut = test::encoded_tensor(formats::kF32, 1, 512, values);
  cut.bytes.resize(cut.bytes.size() - 1);
  EXPECT_FALSE(pack_ternary(cut.view()).has_value());
}

TEST(TernaryPack, ThreadsAndTheArenaHoldTheSameBytes) {
  sys::ThreadPool pool(3);
  sys::PageArena arena;
  auto values = ternary_values(61 * 320, 13, kScale, true);
  std::fill_n(values.begin(), 3 * 320, 0.0F);  // the scale stands in the fourth row
  const test::EncodedTensor tensor = test::encoded_tensor(formats::kF16, 61, 320, values);
  const auto alone = pack_ternary(tensor.view());
  const auto shared = pack_ternary(tensor.view(), {.pool = &pool, .arena = &arena});
  ASSERT_TRUE(alone.has_value() && shared.has_value());
  EXPECT_EQ(unpacked(*shared), values);
  EXPECT_EQ(unpacked(*alone), values);
  EXPECT_EQ(shared->scale, kScale);
  EXPECT_EQ(shared->owned.size(), 0U);
  EXPECT_EQ(arena.taken_bytes(), alone->owned.size());

  values.back() = 2.0F * kScale;  // found when most is packed
  EXPECT_FALSE(
      pack_ternary(test::encoded_tensor(formats::kF16, 61, 320, values).view(), {.pool = &pool, .arena = &arena}));
  EXPECT_EQ(arena.taken_bytes(), alone->owned.size()) << "the arena has its memory back";
  EXPECT_EQ(unpacked(*shared), unpacked(*alone));
}

TEST(TernaryPack, APackedMatrixMultipliesAsItsValuesDo) {
  // The chain as the engine runs it: rows that need padding, columns quantised per token, exact integers.
  const std::int64_t k = 320;
  const auto values = ternary_values(6 * k, 11, 0.5F, true);
  const test::EncodedTensor tensor = test::encoded_tensor(formats::kF16, 6, k, values);
  const auto matrix = pack_ternary(tensor.view());
  ASSERT_TRUE(matrix.has_value());
  const auto x = test::normal_values(k, 12);
  for (const Kernels& kernels : test::sets_of_this_machine()) {
    AlignedBuffer codes(static_cast<std::size_t>(matrix->k_padded));
    std::int32_t sum = 0;
    kernels.table.quantize_token(x.data(), k, codes.as<std::int8_t>(), &sum);
    std::vector<std::int32_t> y(6);
    kernels.table.ternary({.w = matrix->codes,
                           .n_rows = 6,
                           .x = codes.as<std::int8_t>(),
                           .x_sums = &sum,
                           .n_cols = 1,
                           .k_padded = matrix->k_padded,
                           .y = y.data(),
                           .y_stride = 6});
    for (std::int64_t r = 0; r < 6; ++r) {
      std::int32_t expected = 0;
      for (std::int64_t i = 0; i < k; ++i) {
        expected +=
            static_cast<std::int32_t>(values[static_cast<std::size_t>(r * k + i)] * 2.0F) * codes.as<std::int8_t>()[i];
      }
      EXPECT_EQ(y[static_cast<std::size_t>(r)], expected) << kernels.isa;
    }
  }
}

}  // namespace
}  // namespace tern::kernels
