// The helpers of the k-quants and what the five formats promise at their edges. Equality with the reference library's
// bytes is the golden tests' business.
#include "formats/k_quants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "formats/q2_k.hpp"
#include "formats/q3_k.hpp"
#include "formats/q4_k.hpp"
#include "formats/q5_k.hpp"
#include "formats/q6_k.hpp"

namespace tern::formats {
namespace {

constexpr std::array kKQuants{&kQ2_K, &kQ3_K, &kQ4_K, &kQ5_K, &kQ6_K};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> normal_row(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> row(n);
  for (float& value : row) value = static_cast<float>(random.normal());
  return row;
}

struct Encoded {
  EncodeIssue issue;
  std::vector<std::byte> bytes;
};

Encoded encode(const Format& format, const std::vector<float>& row) {
  const auto n = static_cast<std::int64_t>(row.size());
  Encoded out{{}, std::vector<std::byte>(static_cast<std::size_t>(format.row_bytes(n)), std::byte{0xaa})};
  out.issue = format.encode_row(row.data(), n, 1.0F, out.bytes.data());
  return out;
}

std::vector<float> decode(const Format& format, const std::vector<std::byte>& bytes) {
  const auto n = static_cast<std::int64_t>(bytes.size()) / format.block_bytes * format.block_values;
  std::vector<float> row(static_cast<std::size_t>(n), kNan);
  format.decode_row(bytes.data(), n, 1.0F, row.data());
  return row;
}

TEST(KQuants, RoundHalfEvenBreaksTiesToEven) {
  EXPECT_EQ(codec::round_half_even(0.5F), 0);
  EXPECT_EQ(codec::round_half_even(1.5F), 2);
  EXPECT_EQ(codec::round_half_even(2.5F), 2);
  EXPECT_EQ(codec::round_half_even(-0.5F), 0);
  EXPECT_EQ(codec::round_half_even(-1.5F), -2);
  EXPECT_EQ(codec::round_half_even(-2.5F), -2);
  EXPECT_EQ(codec::round_half_even(std::nextafter(2.5F, 3.0F)), 3);
}

TEST(KQuants, RoundHalfEvenAgreesWithTheProcessorsRoundingUpToItsLimit) {
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto value = static_cast<float>((random.uniform() - 0.5) * std::exp2(random.uniform() * 23.0));
    ASSERT_EQ(static_cast<float>(codec::round_half_even(value)), std::nearbyint(value)) << value;
  }
  EXPECT_EQ(codec::round_half_even(4194303.0F), 4194303);
  EXPECT_EQ(codec::round_half_even(-4194304.0F), -4194304);
}

TEST(KQuants, PackedScalesComeBack) {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    std::array<k_quants::ScaleAndMin, 8> pairs{};
    for (auto& pair : pairs) {
      pair = {static_cast<std::uint8_t>(random.below(64)), static_cast<std::uint8_t>(random.below(64))};
    }
    std::array<std::uint8_t, 12> table{};
    k_quants::pack_scales(pairs.data(), table.data());
    for (int j = 0; j < 8; ++j) {
      const auto pair = k_quants::unpack_scale(table.data(), j);
      EXPECT_EQ(pair.scale, pairs[static_cast<std::size_t>(j)].scale) << j;
      EXPECT_EQ(pair.min, pairs[static_cast<std::size_t>(j)].min) << j;
    }
  }
}

TEST(KQuants, PackedScalesStandWhereTheDiagramSays) {
  std::array<k_quants::ScaleAndMin, 8> pairs{};
  pairs[1] = {0x2a, 0x15};
  pairs[5] = {0x31, 0x2e};  // high bits 3 and 2, low bits 1 and 14
  std::array<std::uint8_t, 12> table{};
  k_quants::pack_scales(pairs.data(), table.data());
  const std::array<std::uint8_t, 12> expected{0, 0x2a | (3 << 6),    0, 0, 0, 0x15 | (2 << 6), 0, 0,
                                              0, 0x01 | (0x0e << 4), 0, 0};
  EXPECT_EQ(table, expected);
}

TEST(KQuants, ALaneIsNotChangedByItsNeighbours) {
  // The same sub-block among different neighbours and in different lanes: the fit must be the same bits.
  const auto x = normal_row(128, 3);
  std::vector<float> weight(128);
  std::ranges::transform(x, weight.begin(), [](float v) { return 0.5F + std::fabs(v); });
  const k_quants::AffineGrid grid{15, -1.0F, 0.1F, 20};
  std::array<k_quants::AffineFit, 4> together{};
  k_quants::fit_affine<32, k_quants::Penalty::squared>(x.data(), weight.data(), grid, together.data());
  for (std::size_t j = 0; j < 4; ++j) {
    std::vector<float> other(128, 0.0F);
    std::vector<float> other_weight(128, 0.0F);
    const std::size_t lane = 3 - j;
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(32 * j), 32,
                other.begin() + static_cast<std::ptrdiff_t>(32 * lane));
    std::copy_n(weight.begin() + static_cast<std::ptrdiff_t>(32 * j), 32,
                other_weight.begin() + static_cast<std::ptrdiff_t>(32 * lane));
    std::array<k_quants::AffineFit, 4> alone{};
    k_quants::fit_affine<32, k_quants::Penalty::squared>(other.data(), other_weight.data(), grid, alone.data());
    EXPECT_EQ(alone[lane].scale, together[j].scale);
    EXPECT_EQ(alone[lane].min, together[j].min);
    EXPECT_EQ(alone[lane].inverse, together[j].inverse);
    EXPECT_EQ(alone[lane].offset, together[j].offset);
    EXPECT_EQ(alone[j == lane ? 0 : j].scale, 0.0F);
  }
}

TEST(KQuants, AnAffineFitFindsAnExactGrid) {
  // Values min + scale * {0..15}, all codes used: the closed form must give scale and minimum back.
  std::vector<float> x(128);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.25F * static_cast<float>(i % 16) - 1.5F;
  const std::vector<float> weight(128, 1.0F);
  std::array<k_quants::AffineFit, 4> fits{};
  k_quants::fit_affine<32, k_quants::Penalty::squared>(x.data(), weight.data(), {15, -1.0F, 0.1F, 20}, fits.data());
  for (const auto& fit : fits) {
    EXPECT_NEAR(fit.scale, 0.25F, 1e-6F);
    EXPECT_NEAR(fit.min, 1.5F, 1e-5F);
  }
}

TEST(KQuants, SymmetricFitsFindAnExactGrid) {
  std::vector<float> x(64);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.5F * static_cast<float>(static_cast<int>(i % 8) - 4);
  std::array<float, 4> scales{};
  std::array<std::uint8_t, 64> codes{};
  k_quants::fit_symmetric_by_coordinates(x.data(), 4, scales.data(), codes.data());
  for (const float scale : scales) EXPECT_EQ(scale, 0.5F);
  for (std::size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(codes[i], i % 8);

  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.5F * static_cast<float>(4 * static_cast<int>(i % 16) - 32);
  std::array<k_quants::SymmetricFit, 4> fits{};
  k_quants::fit_symmetric(x.data(), 32, fits.data());
  for (const auto& fit : fits) EXPECT_EQ(fit.scale, 0.5F);
}

TEST(KQuants, AZeroBlockDecodesToZero) {
  for (const Format* format : kKQuants) {
    const auto encoded = encode(*format, std::vector<float>(512, 0.0F));
    ASSERT_FALSE(encoded.issue) << format->name;
    for (const float value : decode(*format, encoded.bytes)) EXPECT_EQ(value, 0.0F) << format->name;
    EXPECT_TRUE(std::ranges::all_of(encoded.bytes, [](std::byte b) { return b == std::byte{0}; })) << format->name;
  }
}

TEST(KQuants, AConstantBlockKeepsItsValueWithinTheRoundingOfItsScale) {
  for (const Format* format : kKQuants) {
    for (const float constant : {-3.0F, -0.7F, 0.7F, 3.0F, 1000.0F}) {
      const auto encoded = encode(*format, std::vector<float>(256, constant));
      ASSERT_FALSE(encoded.issue) << format->name;
      for (const float value : decode(*format, encoded.bytes)) {
        ASSERT_NEAR(value, constant, std::fabs(constant) * 0x1p-11F * 1.001F) << format->name;
      }
    }
  }
}

TEST(KQuants, ABlockTooSmallForFp16DecodesToZeroAndIsNoError) {
  for (const Format* format : kKQuants) {
    auto row = normal_row(256, 5);
    for (float& value : row) value *= 1e-12F;
    const auto encoded = encode(*format, row);
    ASSERT_FALSE(encoded.issue) << format->name;
    for (const float value : decode(*format, encoded.bytes)) EXPECT_EQ(value, 0.0F) << format->name;
  }
}

TEST(KQuants, TheColumnOfTheFirstNonFiniteValueIsReported) {
  for (const Format* format : kKQuants) {
    for (const std::int64_t column : {0, 31, 255, 256, 300, 767}) {
      for (const float value : {kNan, kInfinity, -kInfinity}) {
        auto row = normal_row(768, 9);
        row[static_cast<std::size_t>(column)] = value;
        row[767] = kInfinity;  // a later one must not be named instead
        if (column == 767) row[767] = value;
        const auto encoded = encode(*format, row);
        EXPECT_EQ(encoded.issue.kind, EncodeIssue::Kind::not_finite) << format->name;
        EXPECT_EQ(encoded.issue.column, column) << format->name;
        EXPECT_EQ(std::isnan(encoded.issue.value), std::isnan(value)) << format->name;
      }
    }
  }
}

TEST(KQuants, AScaleBeyondFp16IsRefusedWithTheLargestValuesColumn) {
  for (const Format* format : kKQuants) {
    // Up to where squares and cubes in the searches overflow float themselves, and no value may become 0 in silence.
    for (const float large : {4e8F, -4e8F, 1e13F, -1e20F, 1e30F, -3e38F}) {
      auto row = normal_row(768, 13);
      row[300] = large;
      row[400] = -large;  // equal in magnitude: the first is named
      const auto encoded = encode(*format, row);
      EXPECT_EQ(encoded.issue.kind, EncodeIssue::Kind::scale_overflows_fp16) << format->name << " " << large;
      EXPECT_EQ(encoded.issue.column, 300) << format->name << " " << large;
      EXPECT_EQ(encoded.issue.value, large) << format->name;
      const auto constant = encode(*format, std::vector<float>(256, large));
      EXPECT_EQ(constant.issue.kind, EncodeIssue::Kind::scale_overflows_fp16) << format->name << " " << large;
    }
  }
}

TEST(KQuants, ASearchThatOverflowsIsRefusedEvenWhereItsSumsAreNotNumbers) {
  // Squares of both are infinite and the smaller one's code is 0: infinity times zero. A NaN must not end as a scale 0.
  for (const Format* format : kKQuants) {
    auto row = normal_row(768, 31);
    row[300] = 1e38F;
    row[301] = 1e20F;
    const auto encoded = encode(*format, row);
    EXPECT_EQ(encoded.issue.kind, EncodeIssue::Kind::scale_overflows_fp16) << format->name;
    EXPECT_EQ(encoded.issue.column, 300) << format->name;
  }
}

TEST(KQuants, LargeValuesWithinTheScalesReachAreEncoded) {
  for (const Format* format : kKQuants) {
    auto row = normal_row(256, 17);
    for (float& value : row) value *= 3e4F;
    const auto encoded = encode(*format, row);
    ASSERT_FALSE(encoded.issue) << format->name;
    EXPECT_TRUE(format->valid_row(encoded.bytes.data(), 256)) << format->name;
  }
}

TEST(KQuants, ARowIsInvalidWhenAScaleIsNotFinite) {
  for (const Format* format : kKQuants) {
    const auto encoded = encode(*format, normal_row(512, 19));
    ASSERT_TRUE(format->valid_row(encoded.bytes.data(), 512)) << format->name;
    const bool scales_first = format == &kQ4_K || format == &kQ5_K;
    const bool has_min = scales_first || format == &kQ2_K;
    const auto block_bytes = static_cast<std::size_t>(format->block_bytes);
    const std::size_t first_scale = block_bytes + (scales_first ? 0 : block_bytes - (has_min ? 4 : 2));
    for (std::size_t scale = 0; scale < (has_min ? 2 : 1); ++scale) {
      for (const unsigned bad : {0x7c00u, 0xfc00u, 0x7e00u}) {
        auto bytes = encoded.bytes;
        bytes[first_scale + 2 * scale] = static_cast<std::byte>(bad & 0xff);
        bytes[first_scale + 2 * scale + 1] = static_cast<std::byte>(bad >> 8);
        EXPECT_FALSE(format->valid_row(bytes.data(), 512)) << format->name;
        EXPECT_TRUE(format->valid_row(bytes.data(), 256)) << format->name << ": the first block is sound";
      }
    }
  }
}

TEST(KQuants, TheErrorOnNormalRowsIsWithinTheBudgetAndNearIt) {
  for (const Format* format : kKQuants) {
    const auto row = normal_row(256 * 400, 23);
    const auto encoded = encode(*format, row);
    ASSERT_FALSE(encoded.issue) << format->name;
    const auto decoded = decode(*format, encoded.bytes);
    double sum = 0.0;
    for (std::size_t i = 0; i < row.size(); ++i) sum += std::pow(static_cast<double>(decoded[i]) - row[i], 2);
    const double rmse = std::sqrt(sum / static_cast<double>(row.size()));
    EXPECT_LT(rmse, format->rmse_budget) << format->name;
    EXPECT_GT(rmse, 0.85 * format->rmse_budget) << format->name << ": the budget is too loose to guard anything";
  }
}

TEST(KQuants, BlocksOfARowDoNotInfluenceEachOther) {
  for (const Format* format : kKQuants) {
    const auto row = normal_row(1024, 29);
    const auto whole = encode(*format, row);
    const auto block_bytes = static_cast<std::ptrdiff_t>(format->block_bytes);
    for (std::ptrdiff_t block = 0; block < 4; ++block) {
      const std::vector<float> part(row.begin() + 256 * block, row.begin() + 256 * (block + 1));
      EXPECT_TRUE(std::ranges::equal(
          encode(*format, part).bytes,
          std::span(whole.bytes)
              .subspan(static_cast<std::size_t>(block * block_bytes), static_cast<std::size_t>(block_bytes))))
          << format->name;
    }
  }
}

}  // namespace
}  // namespace tern::formats
