// Does a 95 % interval hold the truth 95 times in 100? Simulated texts whose chunks have something in common, as real
// ones have: the clustered interval must, and the one that believes tokens independent must not.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "stats/paired.hpp"
#include "stats/resample.hpp"
#include "stats/special.hpp"

namespace tern::stats {
namespace {

constexpr double kTrueDifference = 0.02;
constexpr std::size_t kChunks = 24;
constexpr std::size_t kPerChunk = 40;

struct Text {
  std::vector<double> base, other;
};

Text simulated_text(Random& random, double true_difference) {
  Text text;
  for (std::size_t c = 0; c < kChunks; ++c) {
    const double shared = 0.05 * random.normal();  // this chunk suits one model better
    for (std::size_t i = 0; i < kPerChunk; ++i) {
      const double nll = 3.0 + random.normal();
      text.base.push_back(nll);
      text.other.push_back(nll + true_difference + shared + 0.1 * random.normal());
    }
  }
  return text;
}

TEST(Coverage, ClusteredIntervalsHoldTheTruthAndIndependentOnesDoNot) {
  Random random(7);
  constexpr int kTexts = 1000;
  int clustered = 0;
  int independent = 0;
  for (int i = 0; i < kTexts; ++i) {
    const auto text = simulated_text(random, kTrueDifference);
    const auto result = compare_paired(text.base, text.other, equal_clusters(text.base.size(), kPerChunk));
    ASSERT_TRUE(result);
    clustered += result->interval->contains(kTrueDifference) ? 1 : 0;
    const double half =
        student_t_quantile(0.975, static_cast<double>(result->n_tokens - 1)) * *result->token_standard_error;
    independent += std::abs(result->mean_difference - kTrueDifference) <= half ? 1 : 0;
  }
  EXPECT_GE(clustered, 920);
  EXPECT_LE(clustered, 980);
  EXPECT_LT(independent, 700);
}

TEST(Coverage, EqualModelsAreCalledDifferentOneTimeInTwenty) {
  Random random(11);
  constexpr int kTexts = 600;
  int by_t = 0;
  int by_signs = 0;
  int by_bootstrap = 0;
  for (int i = 0; i < kTexts; ++i) {
    const auto text = simulated_text(random, 0.0);
    const auto sizes = equal_clusters(text.base.size(), kPerChunk);
    by_t += compare_paired(text.base, text.other, sizes)->significant ? 1 : 0;
    const auto clusters = clustered_difference(text.base, text.other, sizes);
    const auto flips = sign_flip_test(*clusters, 999, static_cast<std::uint64_t>(i));
    EXPECT_FALSE(flips.exact);
    by_signs += flips.p_value < 0.05 ? 1 : 0;
    by_bootstrap += bootstrap_interval(*clusters, 0.95, 999, static_cast<std::uint64_t>(i))->contains(0.0) ? 0 : 1;
  }
  EXPECT_GE(by_t, 12);  // 5 % of 600 is 30, give or take 5
  EXPECT_LE(by_t, 48);
  EXPECT_GE(by_signs, 12);
  EXPECT_LE(by_signs, 48);
  EXPECT_GE(by_bootstrap, 15);  // percentile intervals are a little short at 24 chunks
  EXPECT_LE(by_bootstrap, 66);
}

TEST(Resample, SameSeedSameFigures) {
  Random random(3);
  const auto text = simulated_text(random, kTrueDifference);
  const auto clusters = clustered_difference(text.base, text.other, equal_clusters(text.base.size(), kPerChunk));
  ASSERT_TRUE(clusters);
  EXPECT_EQ(bootstrap_interval(*clusters, 0.95, 500, 9)->low, bootstrap_interval(*clusters, 0.95, 500, 9)->low);
  EXPECT_NE(bootstrap_interval(*clusters, 0.95, 500, 9)->low, bootstrap_interval(*clusters, 0.95, 500, 10)->low);
  EXPECT_EQ(sign_flip_test(*clusters, 500, 9).p_value, sign_flip_test(*clusters, 500, 9).p_value);
}

TEST(Resample, ADrawnPValueIsNeverZero) {
  const std::vector<double> base(40, 1.0);
  std::vector<double> other;
  for (int i = 0; i < 40; ++i) other.push_back(2.0 + 0.01 * i);  // worse in every chunk: no pattern reaches this far
  const auto test = sign_flip_test(*clustered_difference(base, other, equal_clusters(40, 1)), 999, 1);
  EXPECT_DOUBLE_EQ(test.p_value, 1.0 / 1000.0);
}

TEST(Resample, BootstrapAgreesWithTheTIntervalWhenChunksAreMany) {
  Random random(5);
  Text text;
  for (int k = 0; k < 10; ++k) {
    const auto more = simulated_text(random, kTrueDifference);
    text.base.insert(text.base.end(), more.base.begin(), more.base.end());
    text.other.insert(text.other.end(), more.other.begin(), more.other.end());
  }
  const auto sizes = equal_clusters(text.base.size(), kPerChunk);
  const auto t = compare_paired(text.base, text.other, sizes);
  const auto drawn = bootstrap_interval(*clustered_difference(text.base, text.other, sizes));
  ASSERT_TRUE(t && drawn);
  const double width = t->interval->high - t->interval->low;
  EXPECT_NEAR(drawn->low, t->interval->low, 0.08 * width);
  EXPECT_NEAR(drawn->high, t->interval->high, 0.08 * width);
}

}  // namespace
}  // namespace tern::stats
