// A test's operations: their seconds are those measured, their bytes and multiply-adds add up to the whole test's.
#include "lab/bench_operations.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "lab/bench_report.hpp"
#include "lab/bench_session.hpp"
#include "sys/page_arena.hpp"
#include "tests/support/bench_result.hpp"
#include "tests/support/models.hpp"
#include "tests/support/tiny_model.hpp"

namespace tern::lab {
namespace {

std::shared_ptr<const engine::Model> tiny() {
  const test::TemporaryFolder folder;
  return test::must(engine::Model::load(
      test::write_tiny_model(folder, {.architecture = "bitnet", .format = "TQ2_0", .embedding = "F16"}),
      {.isa = {}, .check_memory = false}));
}

double sum_of(const std::vector<OperationRow>& rows, double (*of)(const OperationRow&)) {
  return std::transform_reduce(rows.begin(), rows.end(), 0.0, std::plus<>{}, of);
}

TEST(BenchOperations, AddUpToTheWholeTest) {
  const auto model = tiny();
  const BenchTest test{.n_gen = 3, .n_threads = 1, .isa = ""};
  BenchSession session = test::must(BenchSession::make(model, 1, std::vector{test}, 0, {}));
  Progress quiet;
  const engine::OpTimes times = test::must(session.time_operations(test, quiet));
  ASSERT_EQ(times.whole.size(), model->plan().ops().size());
  const BenchCost cost = cost_of(test, engine::work_of(model->plan()), {}, session.n_batch());
  const auto rows = operations_of(model->plan(), times, session.passed_over(), cost, 3, true, 1, Limits{});
  EXPECT_TRUE(std::ranges::is_sorted(rows, std::greater<>{}, &OperationRow::seconds));
  EXPECT_NEAR(sum_of(rows, [](const OperationRow& row) { return row.seconds; }),
              std::accumulate(times.whole.begin(), times.whole.end(), 0.0), 1e-9);
  EXPECT_DOUBLE_EQ(sum_of(rows, [](const OperationRow& row) { return row.cost.bytes; }), cost.bytes);
  EXPECT_DOUBLE_EQ(sum_of(rows, [](const OperationRow& row) { return row.cost.n_products(); }), cost.n_products());
  // Two layers: queries, keys and values are one operation each, so are gate and up.
  const auto named = [&](std::string_view name) {
    return std::ranges::find_if(rows, [&](const OperationRow& row) { return row.name.starts_with(name); });
  };
  for (const char* name : {"products ", "head ", "attention", "norm", "rounding of inputs", "rope", "addition"}) {
    EXPECT_NE(named(name), rows.end()) << name;
  }
  EXPECT_EQ(named("attention")->n_operations, 2);
  EXPECT_EQ(named("head ")->n_operations, 1);
  EXPECT_EQ(named("attention")->cost.bytes, 0.0) << "not counted";
}

TEST(BenchOperations, WhatIsMultipliedByZeroIsNotCounted) {
  if (!sys::PageArena::kernel_has_huge_pages()) GTEST_SKIP() << "weights by columns need 2 MiB pages, which are off";
  const test::TemporaryFolder folder;
  const auto model = test::must(engine::Model::load(
      test::write_tiny_model(folder, {.architecture = "bitnet-b1.58", .format = "I2_S", .embedding = "F16"}),
      {.isa = {}, .check_memory = false, .pages = engine::Pages::huge}));
  const BenchTest test{.n_gen = 3, .n_threads = 1, .isa = ""};
  BenchSession session = test::must(BenchSession::make(model, 1, std::vector{test}, 0, {}));
  Progress quiet;
  const engine::OpTimes times = test::must(session.time_operations(test, quiet));
  BenchCost cost = cost_of(test, engine::work_of(model->plan()), {}, session.n_batch());
  const double whole_bytes = cost.bytes;
  const double whole_products = cost.n_products();
  take_off(cost, model->plan(), session.passed_over());
  EXPECT_LT(cost.bytes, whole_bytes);
  EXPECT_LT(cost.n_products(), whole_products);
  const auto rows = operations_of(model->plan(), times, session.passed_over(), cost, 3, true, 1, Limits{});
  EXPECT_DOUBLE_EQ(sum_of(rows, [](const OperationRow& row) { return row.cost.bytes; }), cost.bytes);
  EXPECT_DOUBLE_EQ(sum_of(rows, [](const OperationRow& row) { return row.cost.n_products(); }), cost.n_products());
}

TEST(BenchOperations, AHeadThatNobodyAsksCostsNothing) {
  const auto model = tiny();
  engine::OpTimes times;
  times.whole.assign(model->plan().ops().size(), 1.0);
  times.rounding.assign(times.whole.size(), 0.25);
  times.whole.back() = times.rounding.back() = 0.0;
  const std::vector<ops::PassedOver> none(times.whole.size());
  BenchCost cost;
  cost.n_tokens = cost.n_steps = 1;
  for (const OperationRow& row : operations_of(model->plan(), times, none, cost, 0, false, 1, Limits{}))
    EXPECT_FALSE(row.name.starts_with("head")) << row.name;
}

TEST(BenchOperations, ATestWithoutAClockLeavesNoTimes) {
  const auto model = tiny();
  const BenchTest test{.n_prompt = 5, .n_threads = 1, .isa = ""};
  BenchSession session = test::must(BenchSession::make(model, 1, std::vector{test}, 0, {}));
  Progress quiet;
  engine::OpTimes times = test::must(session.time_operations(test, quiet));
  const engine::OpTimes before = times;
  ASSERT_TRUE(session.run(test, quiet).has_value());
  EXPECT_EQ(times.whole, before.whole);
}

TEST(BenchOperations, AreATableOfTheirOwn) {
  BenchResult result = test::bench_result();
  EXPECT_EQ(to_markdown(result).find("Where the time goes"), std::string::npos);
  OperationRow products{.name = "products 10 x 20", .n_operations = 4, .seconds = 0.75, .cost = {}, .judged = {}};
  products.cost.n_tokens = products.cost.n_steps = 1;
  products.cost.bytes = 1.5e9;
  products.cost.products = {{.peak = "maddubs16", .n = 3e9}};
  products.judged = {.percent = 66.7, .limit = "read_huge"};
  result.rows[0].operations = {products,
                               {.name = "norm", .n_operations = 5, .seconds = 0.25, .cost = {}, .judged = {}}};
  const std::string text = to_markdown(result);
  EXPECT_NE(text.find("Where the time goes: pp128, avx2, 2 threads, 1 step"), std::string::npos) << text;
  EXPECT_NE(text.find("| products 10 x 20 | 4 | 750.000 | 75.0 % | 66.7 | read_huge | 2.0 | 4.0 |"), std::string::npos)
      << text;
  EXPECT_NE(text.find("| norm | 5 | 250.000 | 25.0 % | n/a | n/a | n/a | n/a |"), std::string::npos) << text;
}

}  // namespace
}  // namespace tern::lab
