// Checked arithmetic, the cursor over bytes, and the generator whose sequence is a promise.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "base/byte_cursor.hpp"
#include "base/checked.hpp"
#include "base/random.hpp"

namespace tern {
namespace {

TEST(Checked, AddsAndMultipliesUpToTheBorderAndNotBeyond) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  constexpr auto kSigned = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(checked_add<std::uint64_t>(kMax - 1, 1), kMax);
  EXPECT_FALSE(checked_add<std::uint64_t>(kMax, 1));
  EXPECT_FALSE(checked_add<std::int64_t>(kSigned, 1));
  EXPECT_EQ(checked_mul<std::uint64_t>(1ULL << 32, (1ULL << 32) - 1), 0xffffffff00000000ULL);
  EXPECT_FALSE(checked_mul<std::uint64_t>(1ULL << 32, 1ULL << 32));
  EXPECT_FALSE(checked_mul<std::int64_t>(std::numeric_limits<std::int64_t>::min(), -1));
}

TEST(Checked, AlignsUpAndSaysWhenThatOverflows) {
  EXPECT_EQ(checked_align_up<std::uint64_t>(0, 32), 0U);
  EXPECT_EQ(checked_align_up<std::uint64_t>(1, 32), 32U);
  EXPECT_EQ(checked_align_up<std::uint64_t>(32, 32), 32U);
  EXPECT_EQ(checked_align_up<std::uint64_t>(33, 32), 64U);
  EXPECT_EQ(checked_align_up<std::uint64_t>(7, 1), 7U);
  EXPECT_EQ(checked_align_up<std::uint64_t>(0xffffffffffffffe0ULL, 32), 0xffffffffffffffe0ULL);
  EXPECT_FALSE(checked_align_up<std::uint64_t>(0xffffffffffffffe1ULL, 32));
}

TEST(ByteCursor, ReadsInOrderAndNamesTheFieldThatIsCutOff) {
  const std::array<std::byte, 7> bytes{std::byte{1}, std::byte{2}, std::byte{0}, std::byte{0},
                                       std::byte{0}, std::byte{9}, std::byte{8}};
  ByteCursor cursor(bytes);
  EXPECT_EQ(cursor.read<std::uint8_t>("first").value(), 1);
  EXPECT_EQ(cursor.read<std::uint32_t>("second").value(), 2U);
  EXPECT_EQ(cursor.position(), 5U);
  const auto cut = cursor.read<std::uint32_t>("the third field");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::bad_input);
  EXPECT_EQ(cut.error().message, "truncated: the third field needs 4 bytes at byte 5, only 2 are left");
  EXPECT_EQ(cursor.position(), 5U) << "a failed read must not move";
  const auto taken = cursor.take(2, "rest");
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->data(), bytes.data() + 5);
  EXPECT_EQ(cursor.remaining(), 0U);
  EXPECT_TRUE(cursor.take(0, "nothing"));
  EXPECT_FALSE(cursor.take(1, "more"));
}

TEST(ByteCursor, ALengthNearTheLargestNumberIsRefusedNotWrapped) {
  const std::array<std::byte, 4> bytes{};
  ByteCursor cursor(bytes);
  ASSERT_TRUE(cursor.read<std::uint16_t>("two"));
  EXPECT_FALSE(cursor.take(std::numeric_limits<std::uint64_t>::max(), "wrap"));
  EXPECT_FALSE(cursor.take(std::numeric_limits<std::uint64_t>::max() - 1, "wrap"));
  EXPECT_EQ(cursor.remaining(), 2U);
}

// xoshiro256** over splitmix64, computed by tests/golden/make/make_random.py from the two papers' recurrences.
TEST(Random, GivesTheSequenceOfItsDefinition) {
  Random zero(0);
  EXPECT_EQ(zero.next(), 0x99ec5f36cb75f2b4ULL);
  EXPECT_EQ(zero.next(), 0xbf6e1f784956452aULL);
  EXPECT_EQ(zero.next(), 0x1a5f849d4933e6e0ULL);
  Random seeded(42);
  EXPECT_EQ(seeded.next(), 0x15780b2e0c2ec716ULL);
  EXPECT_EQ(seeded.next(), 0x6104d9866d113a7eULL);
}

TEST(Random, UniformIsBelowOneAndBelowStaysBelow) {
  Random random(7);
  double least = 1.0;
  double most = 0.0;
  std::array<int, 5> counts{};
  for (int i = 0; i < 20000; ++i) {
    const double u = random.uniform();
    least = std::min(least, u);
    most = std::max(most, u);
    ++counts.at(static_cast<std::size_t>(random.below(5)));
  }
  EXPECT_GE(least, 0.0);
  EXPECT_LT(most, 1.0);
  EXPECT_LT(least, 0.001);
  EXPECT_GT(most, 0.999);
  for (const int count : counts) EXPECT_NEAR(count, 4000, 300);  // over five standard deviations
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, NormalHasMeanZeroVarianceOneAndTheRightTails) {
  Random random(11);
  double sum = 0.0;
  double squares = 0.0;
  int beyond_two = 0;
  constexpr int kN = 40000;
  for (int i = 0; i < kN; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    beyond_two += std::abs(x) > 2.0 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kN, 0.0, 0.025);
  EXPECT_NEAR(squares / kN, 1.0, 0.04);
  EXPECT_NEAR(beyond_two, 0.0455 * kN, 250);
}

}  // namespace
}  // namespace tern
