#include "stats/special.hpp"

#include <cmath>
#include <limits>

#include "tests/unit/stats/golden.hpp"

namespace tern::stats {
namespace {

using test::near;
using test::stats_golden;

TEST(Special, LogBetaEqualsScipy) {
  for (const auto& row : stats_golden()["log_beta"]) {
    EXPECT_TRUE(near(log_beta(row[0], row[1]), row[2], 1e-13, 1e-13)) << row.dump();
  }
}

TEST(Special, IncompleteBetaEqualsScipy) {
  ASSERT_GT(stats_golden()["incomplete_beta"].size(), 200u);
  for (const auto& row : stats_golden()["incomplete_beta"]) {
    EXPECT_TRUE(near(incomplete_beta(row[0], row[1], row[2]), row[3], 2e-11, 1e-300)) << row.dump();
  }
}

TEST(Special, StudentTEqualsScipyIntoTheTails) {
  for (const auto& row : stats_golden()["student_t"]) {
    EXPECT_TRUE(near(student_t_cdf(row[0], row[1]), row[2], 1e-10, 1e-300)) << row.dump();
    EXPECT_TRUE(near(student_t_two_sided(row[0], row[1]), row[3], 1e-10, 1e-300)) << row.dump();
  }
}

TEST(Special, StudentTQuantileEqualsScipy) {
  for (const auto& row : stats_golden()["student_t_quantile"]) {
    EXPECT_TRUE(near(student_t_quantile(row[0], row[1]), row[2], 1e-10, 1e-14)) << row.dump();
  }
}

TEST(Special, StudentTOfAnInfiniteValueIsCertain) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(student_t_cdf(infinity, 3), 1.0);
  EXPECT_EQ(student_t_cdf(-infinity, 3), 0.0);
  EXPECT_EQ(student_t_two_sided(1e200, 3), 0.0);
}

TEST(Special, NormalLawAndItsQuantileEqualScipy) {
  for (const auto& row : stats_golden()["normal"]) EXPECT_TRUE(near(normal_cdf(row[0]), row[1], 1e-12)) << row.dump();
  for (const auto& row : stats_golden()["normal_quantile"]) {
    EXPECT_TRUE(near(normal_quantile(row[0]), row[1], 1e-12, 1e-16)) << row.dump();
  }
}

TEST(Special, QuantileUndoesTheDistribution) {
  for (const double df : {1.0, 2.0, 7.0, 55.0}) {
    for (double p = 0.001; p < 1.0; p += 0.0837) {
      EXPECT_NEAR(student_t_cdf(student_t_quantile(p, df), df), p, 1e-13) << p << " " << df;
    }
  }
}

}  // namespace
}  // namespace tern::stats
