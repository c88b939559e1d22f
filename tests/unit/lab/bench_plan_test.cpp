// Which instruction sets the names of a list stand for.
#include "lab/bench_plan.hpp"

#include <gtest/gtest.h>

#include "kernels/kernels.hpp"
#include "tests/support/models.hpp"

namespace tern::lab {
namespace {

TEST(DistinctIsas, EverySpellingOfASetIsThatSetOnce) {
  const std::string best{kernels::choose("").value().isa};
  EXPECT_EQ(test::must(distinct_isas({""})), std::vector<std::string>{best});
  EXPECT_EQ(test::must(distinct_isas({"scalar", "SCALAR", "scalar"})), std::vector<std::string>{"scalar"});
  const auto both = test::must(distinct_isas({"scalar", best, ""}));
  EXPECT_EQ(both, best == "scalar" ? std::vector<std::string>{best} : (std::vector<std::string>{"scalar", best}));
}

TEST(DistinctIsas, RefusesWhatIsNoSet) {
  EXPECT_EQ(distinct_isas({"scalar", "abacus"}).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace tern::lab
