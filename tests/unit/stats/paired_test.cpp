#include "stats/paired.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "stats/resample.hpp"
#include "tests/unit/stats/golden.hpp"

namespace tern::stats {
namespace {

using test::near;
using test::stats_golden;
using Values = std::vector<double>;
using Sizes = std::vector<std::size_t>;

TEST(Paired, WithEqualChunksIsScipysTTestOfTheChunkMeans) {
  for (const auto& row : stats_golden()["paired"]) {
    const auto base = row["base"].get<Values>();
    const auto other = row["other"].get<Values>();
    const auto result = compare_paired(base, other, equal_clusters(base.size(), row["per_chunk"]));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(near(result->mean_difference, row["mean"], 1e-11));
    EXPECT_TRUE(near(*result->standard_error, row["error"], 1e-11));
    EXPECT_TRUE(near(*result->t, row["t"], 1e-10));
    EXPECT_TRUE(near(*result->p_value, row["p"], 1e-9));
    EXPECT_TRUE(near(result->interval->low, row["interval"][0], 1e-9, 1e-12));
    EXPECT_TRUE(near(result->interval->high, row["interval"][1], 1e-9, 1e-12));
    EXPECT_EQ(result->significant, row["p"].get<double>() < 0.05);
    const double ppl = row["base_perplexity"];
    EXPECT_TRUE(near(result->base_perplexity, ppl, 1e-13));
    EXPECT_TRUE(near(result->delta_perplexity, row["other_perplexity"].get<double>() - ppl, 1e-10, 1e-11));
    EXPECT_TRUE(near(result->delta_interval->low, ppl * (std::exp(row["interval"][0].get<double>()) - 1), 1e-9, 1e-11));
    EXPECT_TRUE(
        near(result->delta_interval->high, ppl * (std::exp(row["interval"][1].get<double>()) - 1), 1e-9, 1e-11));

    const auto margin = test_margin(*result, row["margin"]);
    ASSERT_TRUE(margin);
    const double above = row["p_non_inferior"];
    const double below = row["p_above_lower"];
    EXPECT_TRUE(near(margin->p_non_inferior, above, 1e-9));
    EXPECT_TRUE(near(margin->p_equivalent, std::max(above, below), 1e-9));

    if (row.contains("p_sign_flip")) {
      const auto clusters = clustered_difference(base, other, equal_clusters(base.size(), row["per_chunk"]));
      const auto test = sign_flip_test(*clusters);
      EXPECT_TRUE(test.exact);
      EXPECT_TRUE(near(test.p_value, row["p_sign_flip"], 1e-12));
    }
  }
}

TEST(Paired, WithUnequalChunksIsTheSandwichEstimator) {
  const auto& row = stats_golden()["unequal"];
  const auto result = compare_paired(row["base"].get<Values>(), row["other"].get<Values>(), row["sizes"].get<Sizes>());
  ASSERT_TRUE(result);
  EXPECT_TRUE(near(result->mean_difference, row["mean"], 1e-12));
  EXPECT_TRUE(near(*result->standard_error, row["error"], 1e-12));
}

TEST(Paired, EqualModelsDifferByZeroWithCertaintyAndWithoutSignificance) {
  const Values nll{1.5, 0.25, 3.0, 2.0, 1.0, 0.5};
  const auto result = compare_paired(nll, nll, Sizes{2, 2, 2});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->mean_difference, 0.0);
  EXPECT_EQ(result->delta_perplexity, 0.0);
  EXPECT_EQ(result->p_value, 1.0);
  EXPECT_FALSE(result->significant);
  EXPECT_EQ(result->interval->low, 0.0);
  EXPECT_EQ(result->interval->high, 0.0);
  const auto clusters = clustered_difference(nll, nll, Sizes{2, 2, 2});
  EXPECT_EQ(sign_flip_test(*clusters).p_value, 1.0);
  EXPECT_EQ(test_margin(*result, 0.005)->p_equivalent, 0.0);
}

TEST(Paired, OneChunkGivesADifferenceButNoIntervalAndSaysWhy) {
  const auto result = compare_paired(Values{1, 2}, Values{1.5, 2.5}, Sizes{2});
  ASSERT_TRUE(result);
  EXPECT_DOUBLE_EQ(result->mean_difference, 0.5);
  EXPECT_FALSE(result->standard_error || result->interval || result->p_value || result->delta_interval);
  EXPECT_FALSE(result->significant);
  EXPECT_NE(result->note().find("one chunk only"), std::string_view::npos);
  EXPECT_FALSE(test_margin(*result, 0.01));
  EXPECT_FALSE(bootstrap_interval(*clustered_difference(Values{1, 2}, Values{1.5, 2.5}, Sizes{2})));
}

TEST(Paired, RefusesWhatCannotBePaired) {
  const auto message = [](const Values& a, const Values& b, const Sizes& sizes) {
    const auto result = compare_paired(a, b, sizes);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_NE(message({}, {}, {}).find("no tokens"), std::string::npos);
  EXPECT_NE(message({1, 2}, {1}, {2}).find("2 tokens against 1"), std::string::npos);
  EXPECT_NE(message({1, 2}, {1, 2}, {1}).find("leave 1 of 2"), std::string::npos);
  EXPECT_NE(message({1, 2}, {1, 2}, {1, 2}).find("do not add up"), std::string::npos);
  EXPECT_NE(message({1, 2}, {1, 2}, {2, std::numeric_limits<std::size_t>::max()}).find("do not add up"),
            std::string::npos);
  EXPECT_NE(message({1, 2}, {1, 2}, {0, 2}).find("do not add up"), std::string::npos);
  EXPECT_NE(message({1, 2}, {1, std::nan("")}, {1, 1}).find("token 1"), std::string::npos);
}

TEST(Paired, EqualClustersKeepTheShortLastOne) {
  EXPECT_EQ(equal_clusters(510, 255), (Sizes{255, 255}));
  EXPECT_EQ(equal_clusters(600, 255), (Sizes{255, 255, 90}));
  EXPECT_EQ(equal_clusters(7, 255), (Sizes{7}));
  EXPECT_TRUE(equal_clusters(0, 255).empty());
}

TEST(Holm, EqualsItsDefinitionByRejectionLevels) {
  for (const auto& row : stats_golden()["holm"]) {
    const auto adjusted = holm(row["p"].get<Values>());
    const auto expected = row["adjusted"].get<Values>();
    ASSERT_EQ(adjusted.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15) << row.dump();
  }
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace tern::stats
