#include "stats/summary.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "stats/interval.hpp"
#include "stats/perplexity.hpp"
#include "tests/unit/stats/golden.hpp"

namespace tern::stats {
namespace {

using test::near;
using test::stats_golden;

TEST(Summary, EqualsNumpy) {
  for (const auto& row : stats_golden()["summaries"]) {
    const auto values = row["values"].get<std::vector<double>>();
    const auto summary = summarise(values);
    EXPECT_EQ(summary.n, values.size());
    EXPECT_TRUE(near(summary.mean, row["mean"], 1e-13, 1e-14));
    EXPECT_TRUE(near(summary.median, row["median"], 1e-14));
    ASSERT_EQ(summary.standard_deviation.has_value(), !row["sd"].is_null());
    if (summary.standard_deviation) {
      EXPECT_TRUE(near(*summary.standard_deviation, row["sd"], 1e-13));
    }
    for (const auto& pair : row["quantiles"]) EXPECT_TRUE(near(quantile(values, pair[0]), pair[1], 1e-13, 1e-14));
    const auto interval = mean_interval(values);
    ASSERT_EQ(interval.has_value(), !row["interval"].is_null());
    if (interval) {
      EXPECT_TRUE(near(interval->low, row["interval"][0], 1e-11));
      EXPECT_TRUE(near(interval->high, row["interval"][1], 1e-11));
    }
  }
}

TEST(Summary, SumsKeepWhatPlainAdditionLoses) {
  const std::vector<double> values{1.0, 1e100, 1.0, -1e100};
  EXPECT_EQ(sum(values), 2.0);
  std::vector<double> tenths(10'000'000, 0.1);
  EXPECT_EQ(sum(tenths), 1e6);  // plain addition gives 999999.99983897537
}

TEST(Summary, AnInfiniteValueGivesAnInfiniteSumNotNan) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sum(std::vector<double>{1.0, infinity, 2.0}), infinity);
  EXPECT_TRUE(std::isnan(sum(std::vector<double>{infinity, -infinity})));
}

TEST(Summary, OneValueHasNoDeviationAndNoInterval) {
  const std::vector<double> one{4.0};
  EXPECT_FALSE(summarise(one).standard_deviation);
  EXPECT_FALSE(mean_interval(one));
  EXPECT_EQ(quantile(one, 0.9), 4.0);
}

TEST(Perplexity, ErrorIsTheOneLlamaCppPrints) {
  const auto& row = stats_golden()["perplexity"];
  const auto nll = row["nll"].get<std::vector<double>>();
  const auto result = perplexity(nll);
  EXPECT_TRUE(near(result.value, row["value"], 1e-13));
  ASSERT_TRUE(result.standard_error);
  EXPECT_TRUE(near(*result.standard_error, row["error"], 1e-11));
}

TEST(Perplexity, OfAFairCoinIsTwoAndOneBitPerToken) {
  const std::vector<double> nll(16, std::log(2.0));
  const auto result = perplexity(nll);
  EXPECT_DOUBLE_EQ(result.value, 2.0);
  EXPECT_DOUBLE_EQ(result.bits_per_byte(32), 0.5);
  EXPECT_EQ(*result.standard_error, 0.0);
  EXPECT_FALSE(perplexity(std::vector<double>{1.0}).standard_error);
}

}  // namespace
}  // namespace tern::stats
