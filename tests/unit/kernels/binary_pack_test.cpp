// Recognising and packing binary tensors of every format, read back bit by bit.
#include "kernels/binary_pack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/kernel_cases.hpp"

namespace tern::kernels {
namespace {

constexpr float kScale = 0.0625F;  // exact in every format

std::vector<float> signs(std::int64_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = random.below(2) == 0 ? -kScale : kScale;
  return values;
}

test::EncodedTensor encode(std::string_view name, std::int64_t n_rows, std::int64_t k,
                           const std::vector<float>& values) {
  return test::encoded_tensor(*formats::by_name(name).value(), n_rows, k, values);
}

/// The matrix's values again; bits of padded rows and columns must be 0.
std::vector<float> unpacked(const BinaryMatrix& matrix) {
  std::vector<float> values;
  for (std::int64_t r = 0; r < binary_panels(matrix.n_rows) * 32; ++r) {
    const std::uint8_t* panel = matrix.panels + r / 32 * binary_panel_bytes(matrix.k);
    for (std::int64_t i = 0; i < binary_padded(matrix.k); ++i) {
      const bool positive = (panel[i / 8 * 32 + r % 32] >> (i % 8) & 1) != 0;
      if (r < matrix.n_rows && i < matrix.k) {
        values.push_back(positive ? matrix.scale : -matrix.scale);
      } else {
        EXPECT_FALSE(positive) << "row " << r << " column " << i;
      }
    }
  }
  return values;
}

TEST(BinaryPack, EveryFormatThatHoldsSignsExactlyPacksToThoseValues) {
  for (const char* name : {"Q1_0", "F32", "F16", "BF16", "I2_S", "TQ1_0", "TQ2_0", "Q2_0"}) {
    for (const std::int64_t n_rows : {1, 31, 32, 33, 70}) {
      const auto values = signs(n_rows * 512, static_cast<std::uint64_t>(n_rows));
      const auto matrix = pack_binary(encode(name, n_rows, 512, values).view());
      ASSERT_TRUE(matrix.has_value()) << name;
      EXPECT_EQ(matrix->scale, kScale);
      EXPECT_EQ(unpacked(*matrix), values) << name << " rows " << n_rows;
    }
  }
}

TEST(BinaryPack, RowsOfAnyLengthArePaddedWithZeros) {
  for (const std::int64_t k : {1, 7, 8, 31, 33, 100}) {
    const auto values = signs(35 * k, 2);
    const auto matrix = pack_binary(encode("F32", 35, k, values).view());
    ASSERT_TRUE(matrix.has_value());
    EXPECT_EQ(matrix->owned.size(), static_cast<std::size_t>(2 * binary_panel_bytes(k)));
    EXPECT_EQ(unpacked(*matrix), values) << k;
  }
}

TEST(BinaryPack, WhatIsNotSignsOfOneScaleIsRefused) {
  const auto good = signs(4 * 256, 3);
  for (const float odd : {0.0F, 2.0F * kScale, std::numeric_limits<float>::quiet_NaN(), HUGE_VALF}) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{255}, std::size_t{4 * 256 - 1}}) {
      auto values = good;
      values[at] = odd;
      test::EncodedTensor tensor = encode("F32", 4, 256, good);
      std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
      EXPECT_FALSE(pack_binary(tensor.view()).has_value()) << odd << " at " << at;
    }
  }
  EXPECT_FALSE(pack_binary(encode("F32", 2, 256, std::vector<float>(512)).view()).has_value()) << "all zero";
  auto doubled = good;
  for (std::size_t i = doubled.size() - 128; i < doubled.size(); ++i) doubled[i] *= 2.0F;
  EXPECT_FALSE(pack_binary(encode("Q1_0", 4, 256, doubled).view()).has_value()) << "the last block has its own scale";
  EXPECT_FALSE(pack_binary(encode("Q4_K", 4, 256, test::normal_values(4 * 256, 4)).view()).has_value());
}

TEST(BinaryPack, ThreadsAndTheArenaHoldTheSameBytes) {
  sys::ThreadPool pool(3);
  sys::PageArena arena;
  auto values = signs(200 * 100, 6);
  const auto alone = pack_binary(encode("F32", 200, 100, values).view());
  const auto shared = pack_binary(encode("F32", 200, 100, values).view(), {.pool = &pool, .arena = &arena});
  ASSERT_TRUE(alone.has_value() && shared.has_value());
  EXPECT_EQ(unpacked(*shared), values);
  EXPECT_EQ(shared->owned.size(), 0U);
  EXPECT_EQ(arena.taken_bytes(), alone->owned.size());

  values.back() = 0.0F;  // found when most is packed
  EXPECT_FALSE(pack_binary(encode("F32", 200, 100, values).view(), {.pool = &pool, .arena = &arena}));
  EXPECT_EQ(arena.taken_bytes(), alone->owned.size()) << "the arena has its memory back";
  EXPECT_EQ(unpacked(*shared), unpacked(*alone));
}

TEST(BinaryPack, BytesThatAreMissingAreNotRead) {
  test::EncodedTensor tensor = encode("Q1_0", 4, 256, signs(4 * 256, 5));
  tensor.bytes.pop_back();
  EXPECT_FALSE(pack_binary(tensor.view()).has_value());
}

}  // namespace
}  // namespace tern::kernels
